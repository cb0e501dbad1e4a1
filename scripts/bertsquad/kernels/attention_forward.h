// Self-attention of packed sequences: softmax(q k' / sqrt(d)) v, with or without dropout.
//
// Each head of each sequence is done alone and stays in the cache. Keys and values are laid out for
// the products once, then six rows of queries at a time: their scores, 2 to the scores' power, and
// the products with the values, divided by the powers' sum at last. Sums and softmax are in FP32.

#include "products.h"
#include "sequences.h"
#include "team.h"

typedef struct {
    const element* projected;  // [tokens][3][heads][size]: query, key, value
    element* attended;         // [tokens][heads][size]
    const int64_t* starts;     // [sequences + 1]: each one's first token, and the tokens' number
    int64_t heads;
    int64_t parts;               // of a head's queries, where there are more threads than heads
    int64_t padded;              // tokens of the longest sequence, rounded up to 32
    const int8_t* const* masks;  // each sequence's [heads][length][length]; NULL without dropout
    float scale;                 // of what dropout keeps
    float* softmax;              // [tokens][heads][2]: largest score and 1 / sum of powers; or NULL
} Attention;

// One thread's memory.
typedef struct {
    uint32_t* keys;    // [size / STEP][padded]
    uint32_t* values;  // [padded / STEP][size]
    float* scores;     // [ROWS][padded]
    element* powers;   // [ROWS][padded]
    element* queries;  // [ROWS][size]
} Workspace;

INLINE int64_t padded_of(int64_t length) { return (length + 31) / 32 * 32; }

INLINE size_t workspace_bytes(int64_t padded, int64_t size) {
    return (size_t)(2 * padded * size * sizeof(element) + ROWS * padded * (4 + sizeof(element)) +
                    ROWS * size * sizeof(element));
}

INLINE Workspace workspace_at(void* start, int64_t padded, int64_t size) {
    Workspace at;
    at.keys = start;
    at.values = at.keys + size / STEP * padded;
    at.scores = (float*)(at.values + padded / STEP * size);
    at.powers = (element*)(at.scores + ROWS * padded);
    at.queries = at.powers + ROWS * padded;
    return at;
}

// powers[j] = 2^(by (scores[j] - largest)), 0 where dropped; returns 1 / the sum of all of them.
INLINE float soften(const float* scores, int length, float largest, float factor,
                    const int8_t* mask, element* powers) {
    const __m512 by = _mm512_set1_ps(factor), most = _mm512_set1_ps(largest);
    __m512 sum = _mm512_setzero_ps();
    int j = 0;
    for (; j + LANES < length; j += 2 * LANES) {
        __m512 low = power_of(scores + j, most, by);
        __m512 high = power_of(scores + j + LANES, most, by);
        sum = _mm512_add_ps(sum, _mm512_add_ps(low, high));
        if (mask) {
            low = _mm512_maskz_mov_ps(kept(mask, j, length), low);
            high = _mm512_maskz_mov_ps(kept(mask, j + LANES, length), high);
        }
        store_two(powers + j, low, high);
    }
    if (j < length) {
        const __m512 last = power_of(scores + j, most, by);
        sum = _mm512_add_ps(sum, last);
        store_one(powers + j, _mm512_maskz_mov_ps(kept(mask, j, length), last));
    }
    return 1.0f / _mm512_reduce_add_ps(sum);
}

INLINE void attend(const Attention* job, int64_t item, void* memory, int size, int dropping) {
    const int64_t part = item % job->parts, head = item / job->parts % job->heads;
    const int64_t sequence = item / job->parts / job->heads;
    const int64_t width = job->heads * size, distance = 3 * width;
    const int64_t start = job->starts[sequence], padded = job->padded;
    const int length = (int)(job->starts[sequence + 1] - start);
    const element* queries = job->projected + start * distance + head * size;
    element* attended = job->attended + start * width + head * size;
    const int8_t* mask = dropping ? job->masks[sequence] + head * length * length : NULL;
    const Workspace at = workspace_at(memory, padded, size);
    const float factor = LOG2_E / sqrtf((float)size);
    const int64_t blocks = (length + ROWS - 1) / ROWS;
    const int begin = (int)(blocks * part / job->parts) * ROWS;
    const int end = least(length, (int)(blocks * (part + 1) / job->parts) * ROWS);

    if (begin >= end) return;
    pack_across(queries + width, distance, length, padded, size, at.keys);
    pack_down(queries + 2 * width, distance, length, size, at.values);
    for (int first = begin; first < end; first += ROWS) {
        const int rows = least(length - first, ROWS);
        __m512 largest[ROWS], sums[ROWS][TILE];
        float shares[ROWS];
        copy_rows(queries + first * distance, distance, rows, size, at.queries);
        score(at.queries, at.keys, padded, size, length, at.scores, largest);
        for (int i = 0; i < ROWS; i++) {
            const int64_t row = first + least(i, rows - 1);
            const float most = _mm512_reduce_max_ps(largest[i]);
            shares[i] = soften(at.scores + i * padded, length, most, factor,
                               dropping ? mask + row * length : NULL, at.powers + i * padded);
            if (job->softmax) {
                float* kept_for_backward = job->softmax + ((start + row) * job->heads + head) * 2;
                kept_for_backward[0] = most;
                kept_for_backward[1] = shares[i];
            }
        }
        multiply(at.powers, padded * sizeof(element), 4, at.values, size,
                 (length + STEP - 1) / STEP, size / LANES, sums);
        for (int i = 0; i < rows; i++) {
            const __m512 share = _mm512_set1_ps(dropping ? shares[i] * job->scale : shares[i]);
            for (int d = 0; d < size; d += 2 * LANES)
                store_two(attended + (first + i) * width + d,
                          _mm512_mul_ps(sums[i][d / LANES], share),
                          _mm512_mul_ps(sums[i][d / LANES + 1], share));
        }
    }
}

static void attend_32(const void* job, int64_t item, void* memory) {
    attend(job, item, memory, 32, 0);
}
static void attend_64(const void* job, int64_t item, void* memory) {
    attend(job, item, memory, 64, 0);
}
static void drop_32(const void* job, int64_t item, void* memory) {
    attend(job, item, memory, 32, 1);
}
static void drop_64(const void* job, int64_t item, void* memory) {
    attend(job, item, memory, 64, 1);
}

// `size` is the number of values of a head. DONE, or NO_MEMORY; UNSUPPORTED where `size` is neither
// 32 nor 64; WRONG_STARTS where `starts` do not go from 0 to `tokens` without a step down.
int NAMED(attention)(const element* projected, element* attended, const int64_t* starts,
                     int64_t sequences, int64_t tokens, int64_t heads, int64_t size,
                     const int8_t* const* masks, float scale, float* softmax, int threads) {
    if (size != 32 && size != 64) return UNSUPPORTED;
    const int64_t longest = longest_of(starts, sequences, tokens);
    if (longest < 0) return WRONG_STARTS;
    const int64_t items = sequences * heads;
    const int64_t parts = items > 0 && items < threads ? (threads + items - 1) / items : 1;
    const Attention job = {
        .projected = projected,
        .attended = attended,
        .starts = starts,
        .heads = heads,
        .parts = parts,
        .padded = padded_of(longest),
        .masks = masks,
        .scale = scale,
        .softmax = softmax,
    };
    const Team team = {
        .work = masks ? (size == 32 ? drop_32 : drop_64) : (size == 32 ? attend_32 : attend_64),
        .job = &job,
        .items = items * parts,
        .workspace_bytes = workspace_bytes(job.padded, size),
    };
    return run_team(team, threads);
}
