// Work shared among threads: items are claimed one at a time, so that none waits for a slow one.
//
// GOMP_parallel is the entry point of GNU OpenMP, which LLVM's and Intel's runtimes have too. It is
// not linked: where the process has loaded PyTorch, this is PyTorch's own runtime and its threads
// do the work, the same that did the product before. Without it the caller works alone.

#ifndef BERTSQUAD_TEAM_H
#define BERTSQUAD_TEAM_H

#include <stdint.h>
#include <stdlib.h>

extern void GOMP_parallel(void (*function)(void*), void* argument, unsigned threads, unsigned flags)
    __attribute__((weak));

enum { DONE = 0, NO_MEMORY = 1, UNSUPPORTED = 2, WRONG_STARTS = 3 };

typedef struct {
    void (*work)(const void* job, int64_t item, void* workspace);
    const void* job;
    int64_t items;
    int64_t next;            // the first item that nobody has claimed
    size_t workspace_bytes;  // of each thread; a multiple of 64
    int status;
} Team;

static void join_team(void* argument) {
    Team* team = argument;
    void* workspace = NULL;
    if (team->workspace_bytes) {
        workspace = aligned_alloc(64, team->workspace_bytes);
        if (!workspace) {
            __atomic_store_n(&team->status, NO_MEMORY, __ATOMIC_RELAXED);
            return;
        }
    }
    for (;;) {
        int64_t item = __atomic_fetch_add(&team->next, 1, __ATOMIC_RELAXED);
        if (item >= team->items) break;
        team->work(team->job, item, workspace);
    }
    free(workspace);
}

// Do all items with at most this many threads; DONE or NO_MEMORY.
static int run_team(Team team, int threads) {
    if (threads > team.items) threads = (int)team.items;
    if (threads > 1 && GOMP_parallel)
        GOMP_parallel(join_team, &team, (unsigned)threads, 0);
    else
        join_team(&team);
    return team.status;
}

#endif
