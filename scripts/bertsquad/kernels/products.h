// Products of matrices that stay in the cache, six rows at a time, in FP32 sums. The types are
// those of words_bf16.h or words_fp32.h, one of which is included before.

#ifndef BERTSQUAD_PRODUCTS_H
#define BERTSQUAD_PRODUCTS_H

#include <math.h>

#include "avx512.h"

// words[p][j]: word p of row j. [size / STEP][rows rounded up to 16]; rows from `length` on are 0.
INLINE void pack_across(const element* rows, int64_t distance, int length, int64_t padded, int size,
                        uint32_t* words) {
    for (int j = 0; j < length; j += LANES)
        for (int p = 0; p < size / STEP; p += LANES)
            transpose((const char*)(rows + j * distance + STEP * p), distance * sizeof(element),
                      least(length - j, LANES), (char*)(words + p * padded + j), padded * 4);
}

// target[ROWS][size] = the rows from `rows` on; the last once more where there are fewer than ROWS.
INLINE void copy_rows(const element* rows, int64_t distance, int count, int size, element* target) {
    for (int i = 0; i < ROWS; i++)
        for (int d = 0; d < size; d += LANES * STEP)
            _mm512_store_si512(target + i * size + d,
                               _mm512_loadu_si512(rows + least(i, count - 1) * distance + d));
}

// sums[ROWS][registers] = left[ROWS][steps] x right[steps][registers * LANES], of words. From one
// row of `left` to the next it is `row` bytes, from one word to the next `step` bytes.
INLINE void multiply_by(const char* left, int64_t row, int64_t step, const uint32_t* right,
                        int64_t right_row, int steps, int registers, __m512 sums[ROWS][TILE]) {
    __m512 own[ROWS][TILE];
    for (int i = 0; i < ROWS; i++)
        for (int x = 0; x < registers; x++) own[i][x] = _mm512_setzero_ps();
    for (int k = 0; k < steps; k++) {
        __m512i columns[TILE];
        for (int x = 0; x < registers; x++) columns[x] = _mm512_load_si512(right + LANES * x);
#pragma GCC unroll 6
        for (int i = 0; i < ROWS; i++) {
            int32_t word;
            __builtin_memcpy(&word, left + i * row, sizeof word);
            const __m512i broadcast = _mm512_set1_epi32(word);
#pragma GCC unroll 4
            for (int x = 0; x < registers; x++)
                own[i][x] = multiply_add(own[i][x], broadcast, columns[x]);
        }
        left += step;
        right += right_row;
    }
    for (int i = 0; i < ROWS; i++)
        for (int x = 0; x < registers; x++) sums[i][x] = own[i][x];
}

// Functions of their own, in which the compiler finds a register for each sum.
#define MULTIPLY(n)                                                                            \
    static __attribute__((noinline)) void multiply_##n(                                        \
        const void* left, int64_t row, int64_t step, const uint32_t* right, int64_t right_row, \
        int steps, __m512 sums[ROWS][TILE]) {                                                  \
        multiply_by(left, row, step, right, right_row, steps, n, sums);                        \
    }
MULTIPLY(1)
MULTIPLY(2)
MULTIPLY(3)
MULTIPLY(4)
#undef MULTIPLY

INLINE void multiply(const void* left, int64_t row, int64_t step, const uint32_t* right,
                     int64_t right_row, int steps, int registers, __m512 sums[ROWS][TILE]) {
    switch (registers) {
        case 4: multiply_4(left, row, step, right, right_row, steps, sums); break;
        case 3: multiply_3(left, row, step, right, right_row, steps, sums); break;
        case 2: multiply_2(left, row, step, right, right_row, steps, sums); break;
        default: multiply_1(left, row, step, right, right_row, steps, sums);
    }
}

// The products of ROWS rows with `registers` registers of columns from `first` on, and the rows'
// largest so far. Columns from `length` on are -infinity.
INLINE void score_tile(const element* rows, const uint32_t* across, int64_t padded, int size,
                       int first, int registers, int length, float* scores, __m512 largest[ROWS]) {
    __m512 sums[ROWS][TILE];
    multiply(rows, size * sizeof(element), 4, across + first, padded, size / STEP, registers, sums);
    const int in_last = length - first - LANES * (registers - 1);
    const __mmask16 valid = first_lanes(least(in_last, LANES));
    for (int i = 0; i < ROWS; i++) {
        sums[i][registers - 1] =
            _mm512_mask_mov_ps(_mm512_set1_ps(-INFINITY), valid, sums[i][registers - 1]);
        for (int x = 0; x < registers; x++) {
            largest[i] = _mm512_max_ps(largest[i], sums[i][x]);
            _mm512_store_ps(scores + i * padded + first + LANES * x, sums[i][x]);
        }
    }
}

// scores[ROWS][padded] = rows[ROWS][size] x across[size][padded].
INLINE void score(const element* rows, const uint32_t* across, int64_t padded, int size, int length,
                  float* scores, __m512 largest[ROWS]) {
    for (int i = 0; i < ROWS; i++) largest[i] = _mm512_set1_ps(-INFINITY);
#define SCORE(n) score_tile(rows, across, padded, size, first, n, length, scores, largest)
    for (int first = 0; first < length; first += TILE * LANES)
        switch (least(registers_for(length - first), TILE)) {
            case 4: SCORE(4); break;
            case 3: SCORE(3); break;
            case 2: SCORE(2); break;
            default: SCORE(1);
        }
#undef SCORE
}

// The lanes of columns j to j + 15 that dropout keeps; all where there is no mask.
INLINE __mmask16 kept(const int8_t* mask, int j, int length) {
    if (!mask) return 0xffff;
    const __mmask16 there = first_lanes(least(length - j, LANES));
    const __m128i bytes = _mm_maskz_loadu_epi8(there, mask + j);
    return _mm_test_epi8_mask(bytes, bytes);
}

// 2^(by (scores - most)). The difference is taken first: the product of a huge score is rounded by
// more than 0 and could end above 0.
INLINE __m512 power_of(const float* scores, __m512 most, __m512 by) {
    return power(_mm512_mul_ps(_mm512_sub_ps(_mm512_load_ps(scores), most), by));
}

#endif
