// BF16 for products: VDPBF16PS adds the products of two neighbours to a sum in FP32. What is summed
// is therefore held in words of two values.

#ifndef BERTSQUAD_WORDS_H
#define BERTSQUAD_WORDS_H

#include "avx512.h"

typedef uint16_t element;

enum { STEP = 2 };  // values of a word

#define NAMED(function) function##_bf16

// 16 sums, each with the products of a word's values.
INLINE __m512 multiply_add(__m512 sums, __m512i left, __m512i right) {
    return _mm512_dpbf16_ps(sums, (__m512bh)left, (__m512bh)right);
}

// 2^x for x <= 0, to more digits than BF16 holds.
INLINE __m512 power(__m512 x) { return rough_exp2_of(x); }

INLINE void store_two(element* to, __m512 low, __m512 high) {
    _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh(high, low));
}

INLINE void store_one(element* to, __m512 values) {
    _mm256_storeu_si256((__m256i*)to, (__m256i)_mm512_cvtneps_pbh(values));
}

// Where value k of a row of `even` and one of `odd` become word k: 0, 32, 1, 33, ... 15, 47.
INLINE __m512i interleaved(void) {
    return _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8, 39, 7, 38,
                            6, 37, 5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
}

// 16 columns of rows `row`, which is even, and `row` + 1, as words along the rows: word[row /
// 2][j].
INLINE void store_down(uint32_t* words, int64_t distance, int64_t row, __m512 even, __m512 odd) {
    const __m512i rows = (__m512i)_mm512_cvtne2ps_pbh(odd, even);
    const __m512i upper = _mm512_shuffle_i64x2(rows, rows, 0xee);
    _mm512_store_si512(words + row / STEP * distance,
                       _mm512_permutex2var_epi16(rows, interleaved(), upper));
}

// words[t][d]: value d of rows 2 t and 2 t + 1; a row at `length` is 0. [ceil(length / 2)][size].
INLINE void pack_down(const element* rows, int64_t distance, int length, int size,
                      uint32_t* words) {
    const __m512i low = interleaved();
    const __m512i high = _mm512_add_epi16(low, _mm512_set1_epi16(16));
    for (int64_t t = 0; 2 * t < length; t++)
        for (int d = 0; d < size; d += 32) {
            const element* from = rows + 2 * t * distance + d;
            const __m512i even = _mm512_loadu_si512(from);
            const __m512i odd =
                2 * t + 1 < length ? _mm512_loadu_si512(from + distance) : _mm512_setzero_si512();
            _mm512_store_si512(words + t * size + d, _mm512_permutex2var_epi16(even, low, odd));
            _mm512_store_si512(words + t * size + d + LANES,
                               _mm512_permutex2var_epi16(even, high, odd));
        }
}

#endif
