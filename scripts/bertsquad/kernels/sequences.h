// Packed sequences: tokens end to end, and where each sequence starts.

#ifndef BERTSQUAD_SEQUENCES_H
#define BERTSQUAD_SEQUENCES_H

#include <limits.h>
#include <stdint.h>

// Tokens of the longest of `sequences`, or -1 where `starts`, [sequences + 1], do not go from 0 to
// `tokens` without a step down, or where a sequence is longer than an int holds.
static int64_t longest_of(const int64_t* starts, int64_t sequences, int64_t tokens) {
    int64_t longest = 0;
    if (sequences < 0 || starts[0] != 0 || starts[sequences] != tokens) return -1;
    for (int64_t i = 0; i < sequences; i++) {
        const int64_t length = starts[i + 1] - starts[i];
        if (length < 0 || length > INT_MAX / 2) return -1;
        if (length > longest) longest = length;
    }
    return longest;
}

#endif
