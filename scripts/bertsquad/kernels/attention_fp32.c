// Self-attention of packed sequences: softmax(q k' / sqrt(d)) v in FP32.
//
// Each head of each sequence is done alone and stays in the cache: keys are transposed and values
// copied together once, then six rows of queries at a time: their scores, 2 to the scores' power,
// and the products with the values, divided by the powers' sum at last.

#include <math.h>

#include "avx512.h"
#include "sequences.h"
#include "team.h"

typedef struct {
    const float *projected;  // [tokens][3][heads][size]: query, key, value
    float *attended;         // [tokens][heads][size]
    const int64_t *starts;   // [sequences + 1]: each one's first token, and the tokens' number
    int64_t heads;
    int64_t padded;  // tokens of the longest sequence, rounded up to 16
} Attention;

// One thread's memory.
typedef struct {
    float *keys;     // [size][padded]
    float *values;   // [padded][size]
    float *scores;   // [ROWS][padded], and then 2 to their power
    float *queries;  // [ROWS][size]
} Workspace;

INLINE int64_t padded_of(int64_t length) { return (length + 15) / 16 * 16; }

INLINE size_t workspace_bytes(int64_t padded, int64_t size) {
    return (size_t)(2 * padded * size + ROWS * (padded + size)) * sizeof(float);
}

INLINE Workspace workspace_at(float *start, int64_t padded, int64_t size) {
    Workspace at;
    at.keys = start;
    at.values = at.keys + size * padded;
    at.scores = at.values + padded * size;
    at.queries = at.scores + ROWS * padded;
    return at;
}

// packed[d][j]: value d of key j; keys from `length` on are 0.
INLINE void pack_keys(const float *keys, int64_t distance, int length, int64_t padded, int size,
                      float *packed) {
    for (int j = 0; j < length; j += LANES)
        for (int d = 0; d < size; d += LANES)
            transpose((const char *)(keys + j * distance + d), distance * sizeof(float),
                      least(length - j, LANES), (char *)(packed + d * padded + j),
                      padded * sizeof(float));
}

INLINE void copy_row(const float *from, int size, float *to) {
    for (int d = 0; d < size; d += LANES) _mm512_store_ps(to + d, _mm512_loadu_ps(from + d));
}

// sums[ROWS][registers] = left[ROWS][depth] x right[depth][registers * LANES].
INLINE void multiply(const float *left, int64_t left_row, const float *right, int64_t right_row,
                     int depth, int registers, __m512 sums[ROWS][TILE]) {
    for (int i = 0; i < ROWS; i++)
        for (int x = 0; x < registers; x++) sums[i][x] = _mm512_setzero_ps();
    for (int k = 0; k < depth; k++) {
        __m512 columns[TILE];
        for (int x = 0; x < registers; x++)
            columns[x] = _mm512_load_ps(right + k * right_row + LANES * x);
#pragma GCC unroll 6
        for (int i = 0; i < ROWS; i++) {
            const __m512 row = _mm512_set1_ps(left[i * left_row + k]);
#pragma GCC unroll 4
            for (int x = 0; x < registers; x++)
                sums[i][x] = _mm512_fmadd_ps(row, columns[x], sums[i][x]);
        }
    }
}

// The scores of ROWS queries with the keys of `registers` registers, and the rows' largest so far.
// Lanes from `length` on are -infinity.
INLINE void score(const Workspace *at, int64_t padded, int size, int first, int registers,
                  int length, __m512 largest[ROWS]) {
    __m512 sums[ROWS][TILE];
    multiply(at->queries, size, at->keys + first, padded, size, registers, sums);
    const int in_last = length - first - LANES * (registers - 1);
    const __mmask16 valid = first_lanes(least(in_last, LANES));
    for (int i = 0; i < ROWS; i++) {
        sums[i][registers - 1] =
            _mm512_mask_mov_ps(_mm512_set1_ps(-INFINITY), valid, sums[i][registers - 1]);
        for (int x = 0; x < registers; x++) {
            largest[i] = _mm512_max_ps(largest[i], sums[i][x]);
            _mm512_store_ps(at->scores + i * padded + first + LANES * x, sums[i][x]);
        }
    }
}

INLINE void score_all(const Workspace *at, int64_t padded, int size, int length,
                      __m512 largest[ROWS]) {
    for (int i = 0; i < ROWS; i++) largest[i] = _mm512_set1_ps(-INFINITY);
    for (int first = 0; first < length; first += TILE * LANES) {
        switch (least(registers_for(length - first), TILE)) {
            case 4: score(at, padded, size, first, 4, length, largest); break;
            case 3: score(at, padded, size, first, 3, length, largest); break;
            case 2: score(at, padded, size, first, 2, length, largest); break;
            default: score(at, padded, size, first, 1, length, largest);
        }
    }
}

// scores[j] = 2^(factor (scores[j] - largest)), and 1 / their sum. The difference is taken first: the
// product of a huge score is rounded by more than 0 and could end above 0.
INLINE float soften(float *scores, int length, float largest, float factor) {
    const __m512 by = _mm512_set1_ps(factor), most = _mm512_set1_ps(largest);
    __m512 sum = _mm512_setzero_ps();
    for (int j = 0; j < length; j += LANES) {
        const __m512 below = _mm512_sub_ps(_mm512_load_ps(scores + j), most);
        const __m512 power = exp2_of(_mm512_mul_ps(below, by));
        sum = _mm512_add_ps(sum, power);
        _mm512_store_ps(scores + j, power);
    }
    return 1.0f / _mm512_reduce_add_ps(sum);
}

INLINE void attend(const Attention *job, int64_t item, float *memory, int size) {
    const int64_t sequence = item / job->heads, head = item % job->heads;
    const int64_t width = job->heads * size, distance = 3 * width;
    const int64_t start = job->starts[sequence], padded = job->padded;
    const int length = (int)(job->starts[sequence + 1] - start);
    const float *queries = job->projected + start * distance + head * size;
    const float *keys = queries + width, *values = keys + width;
    float *attended = job->attended + start * width + head * size;
    const Workspace at = workspace_at(memory, padded, size);
    const float factor = LOG2_E / sqrtf((float)size);

    pack_keys(keys, distance, length, padded, size, at.keys);
    for (int64_t j = 0; j < length; j++) copy_row(values + j * distance, size, at.values + j * size);
    for (int first = 0; first < length; first += ROWS) {
        const int rows = least(length - first, ROWS);
        for (int i = 0; i < ROWS; i++)  // the last query once more where there are fewer
            copy_row(queries + (first + least(i, rows - 1)) * distance, size, at.queries + i * size);
        __m512 largest[ROWS], sums[ROWS][TILE];
        float shares[ROWS];
        score_all(&at, padded, size, length, largest);
        for (int i = 0; i < ROWS; i++)
            shares[i] = soften(at.scores + i * padded, length, _mm512_reduce_max_ps(largest[i]),
                               factor);
        multiply(at.scores, padded, at.values, size, length, size / LANES, sums);
        for (int i = 0; i < rows; i++)
            for (int d = 0; d < size; d += LANES)
                _mm512_storeu_ps(attended + (first + i) * width + d,
                                 _mm512_mul_ps(sums[i][d / LANES], _mm512_set1_ps(shares[i])));
    }
}

static void attend_32(const void *job, int64_t item, void *memory) { attend(job, item, memory, 32); }
static void attend_64(const void *job, int64_t item, void *memory) { attend(job, item, memory, 64); }

// `size` is the number of values of a head. DONE, or NO_MEMORY; UNSUPPORTED where `size` is neither 32
// nor 64; WRONG_STARTS where `starts` do not go from 0 to `tokens` without a step down.
int attention_fp32(const float *projected, float *attended, const int64_t *starts, int64_t sequences,
                   int64_t tokens, int64_t heads, int64_t size, int threads) {
    if (size != 32 && size != 64) return UNSUPPORTED;
    const int64_t longest = longest_of(starts, sequences, tokens);
    if (longest < 0) return WRONG_STARTS;
    const Attention job = {projected, attended, starts, heads, padded_of(longest)};
    const Team team = {
        .work = size == 32 ? attend_32 : attend_64,
        .job = &job,
        .items = sequences * heads,
        .workspace_bytes = workspace_bytes(job.padded, size),
    };
    return run_team(team, threads);
}
