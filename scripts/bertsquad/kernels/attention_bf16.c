// Self-attention of packed sequences: softmax(q k' / sqrt(d)) v in BF16 with FP32 sums and softmax.
//
// Each head of each sequence is done alone and stays in the cache. Keys and values are laid out for
// VDPBF16PS, which adds the products of two neighbours: as pairs along what is summed. Then six rows
// of queries at a time: their scores, 2 to the scores' power, and the products with the values,
// divided by the powers' sum at last.

#include <math.h>

#include "avx512.h"
#include "sequences.h"
#include "team.h"

typedef uint16_t bf16;

typedef struct {
    const bf16 *projected;  // [tokens][3][heads][size]: query, key, value
    bf16 *attended;         // [tokens][heads][size]
    const int64_t *starts;  // [sequences + 1]: each one's first token, and the tokens' number
    int64_t heads;
    int64_t padded;  // tokens of the longest sequence, rounded up to 32
} Attention;

// One thread's memory.
typedef struct {
    uint32_t *keys;    // [size / 2][padded] pairs
    uint32_t *values;  // [padded / 2][size] pairs
    float *scores;     // [ROWS][padded]
    bf16 *powers;      // [ROWS][padded]
    bf16 *queries;     // [ROWS][size]
} Workspace;

INLINE int64_t padded_of(int64_t length) { return (length + 31) / 32 * 32; }

INLINE size_t workspace_bytes(int64_t padded, int64_t size) {
    return (size_t)(4 * padded * size + ROWS * padded * 6 + ROWS * size * 2 + 63) / 64 * 64;
}

INLINE Workspace workspace_at(char *start, int64_t padded, int64_t size) {
    Workspace at;
    at.keys = (uint32_t *)start;
    at.values = at.keys + size / 2 * padded;
    at.scores = (float *)(at.values + padded / 2 * size);
    at.powers = (bf16 *)(at.scores + ROWS * padded);
    at.queries = at.powers + ROWS * padded;
    return at;
}

// packed[p][j]: values 2 p and 2 p + 1 of key j; keys from `length` on are 0.
INLINE void pack_keys(const bf16 *keys, int64_t distance, int length, int64_t padded, int size,
                      uint32_t *packed) {
    for (int j = 0; j < length; j += LANES)
        for (int p = 0; p < size / 2; p += LANES)
            transpose((const char *)(keys + j * distance + 2 * p), distance * sizeof(bf16),
                      least(length - j, LANES), (char *)(packed + p * padded + j), padded * 4);
}

// packed[t][d]: value d of tokens 2 t and 2 t + 1; a token at `length` is 0.
INLINE void pack_values(const bf16 *values, int64_t distance, int length, int size,
                        uint32_t *packed) {
    const __m512i low = _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40,
                                         8, 39, 7, 38, 6, 37, 5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
    const __m512i high = _mm512_add_epi16(low, _mm512_set1_epi16(16));
    for (int t = 0; 2 * t < length; t++)
        for (int d = 0; d < size; d += 32) {
            const bf16 *from = values + 2 * t * distance + d;
            const __m512i even = _mm512_loadu_si512(from);
            const __m512i odd = 2 * t + 1 < length ? _mm512_loadu_si512(from + distance)
                                                   : _mm512_setzero_si512();
            uint32_t *to = packed + (int64_t)t * size + d;
            _mm512_store_si512(to, _mm512_permutex2var_epi16(even, low, odd));
            _mm512_store_si512(to + LANES, _mm512_permutex2var_epi16(even, high, odd));
        }
}

// sums[ROWS][registers] = left[ROWS][pairs] x right[pairs][registers * LANES], of BF16 pairs each.
INLINE void multiply(const bf16 *left, int64_t left_row, const uint32_t *right, int64_t right_row,
                     int pairs, int registers, __m512 sums[ROWS][TILE]) {
    for (int i = 0; i < ROWS; i++)
        for (int x = 0; x < registers; x++) sums[i][x] = _mm512_setzero_ps();
    for (int p = 0; p < pairs; p++) {
        __m512bh columns[TILE];
        for (int x = 0; x < registers; x++)
            columns[x] = (__m512bh)_mm512_loadu_si512(right + p * right_row + LANES * x);
#pragma GCC unroll 6
        for (int i = 0; i < ROWS; i++) {
            int32_t pair;
            __builtin_memcpy(&pair, left + i * left_row + 2 * p, sizeof pair);
            const __m512bh row = (__m512bh)_mm512_set1_epi32(pair);
#pragma GCC unroll 4
            for (int x = 0; x < registers; x++)
                sums[i][x] = _mm512_dpbf16_ps(sums[i][x], row, columns[x]);
        }
    }
}

// The scores of ROWS queries with the keys of `registers` registers, and the rows' largest so far.
// Lanes from `length` on are -infinity.
INLINE void score(const Workspace *at, int64_t padded, int size, int first, int registers,
                  int length, __m512 largest[ROWS]) {
    __m512 sums[ROWS][TILE];
    multiply(at->queries, size, at->keys + first, padded, size / 2, registers, sums);
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

INLINE __m512 power_of(__m512 scores, __m512 most, __m512 by) {
    return rough_exp2_of(_mm512_mul_ps(_mm512_sub_ps(scores, most), by));
}

// powers[j] = 2^(factor (scores[j] - largest)), and 1 / their sum. The difference is taken first: the
// product of a huge score is rounded by more than 0 and could end above 0.
INLINE float soften(const float *scores, int length, float largest, float factor, bf16 *powers) {
    const __m512 by = _mm512_set1_ps(factor), most = _mm512_set1_ps(largest);
    const int registers = registers_for(length);
    __m512 sum = _mm512_setzero_ps();
    int x = 0;
    for (; x + 1 < registers; x += 2) {
        const float *from = scores + LANES * x;
        const __m512 low = power_of(_mm512_load_ps(from), most, by);
        const __m512 high = power_of(_mm512_load_ps(from + LANES), most, by);
        sum = _mm512_add_ps(sum, _mm512_add_ps(low, high));
        _mm512_store_si512(powers + LANES * x, (__m512i)_mm512_cvtne2ps_pbh(high, low));
    }
    if (x < registers) {
        const __m512 last = power_of(_mm512_load_ps(scores + LANES * x), most, by);
        sum = _mm512_add_ps(sum, last);
        _mm256_store_si256((__m256i *)(powers + LANES * x), (__m256i)_mm512_cvtneps_pbh(last));
    }
    return 1.0f / _mm512_reduce_add_ps(sum);
}

INLINE void attend(const Attention *job, int64_t item, char *memory, int size) {
    const int64_t sequence = item / job->heads, head = item % job->heads;
    const int64_t width = job->heads * size, distance = 3 * width;
    const int64_t start = job->starts[sequence], padded = job->padded;
    const int length = (int)(job->starts[sequence + 1] - start);
    const bf16 *queries = job->projected + start * distance + head * size;
    bf16 *attended = job->attended + start * width + head * size;
    const Workspace at = workspace_at(memory, padded, size);
    const float factor = LOG2_E / sqrtf((float)size);

    pack_keys(queries + width, distance, length, padded, size, at.keys);
    pack_values(queries + 2 * width, distance, length, size, at.values);
    for (int first = 0; first < length; first += ROWS) {
        const int rows = least(length - first, ROWS);
        for (int i = 0; i < ROWS; i++) {  // the last query once more where there are fewer
            const bf16 *from = queries + (first + least(i, rows - 1)) * distance;
            for (int d = 0; d < size; d += 32)
                _mm512_storeu_si512(at.queries + i * size + d, _mm512_loadu_si512(from + d));
        }
        __m512 largest[ROWS], sums[ROWS][TILE];
        float shares[ROWS];
        score_all(&at, padded, size, length, largest);
        for (int i = 0; i < ROWS; i++)
            shares[i] = soften(at.scores + i * padded, length, _mm512_reduce_max_ps(largest[i]),
                               factor, at.powers + i * padded);
        multiply(at.powers, padded, at.values, size, (length + 1) / 2, size / LANES, sums);
        for (int i = 0; i < rows; i++) {
            const __m512 share = _mm512_set1_ps(shares[i]);
            for (int d = 0; d < size; d += 32) {
                const __m512 low = _mm512_mul_ps(sums[i][d / LANES], share);
                const __m512 high = _mm512_mul_ps(sums[i][d / LANES + 1], share);
                _mm512_storeu_si512(attended + (first + i) * width + d,
                                    (__m512i)_mm512_cvtne2ps_pbh(high, low));
            }
        }
    }
}

static void attend_32(const void *job, int64_t item, void *memory) { attend(job, item, memory, 32); }
static void attend_64(const void *job, int64_t item, void *memory) { attend(job, item, memory, 64); }

// `size` is the number of values of a head. DONE, or NO_MEMORY; UNSUPPORTED where `size` is neither 32
// nor 64; WRONG_STARTS where `starts` do not go from 0 to `tokens` without a step down.
int attention_bf16(const bf16 *projected, bf16 *attended, const int64_t *starts, int64_t sequences,
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
