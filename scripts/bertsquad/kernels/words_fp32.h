// FP32 for products: a word is one value. The same functions as for BF16, where it is two.

#ifndef BERTSQUAD_WORDS_H
#define BERTSQUAD_WORDS_H

#include "avx512.h"

typedef float element;

enum { STEP = 1 };  // values of a word

#define NAMED(function) function##_fp32

INLINE __m512 multiply_add(__m512 sums, __m512i left, __m512i right) {
    return _mm512_fmadd_ps(_mm512_castsi512_ps(left), _mm512_castsi512_ps(right), sums);
}

// 2^x for x <= 0.
INLINE __m512 power(__m512 x) { return exp2_of(x); }

INLINE void store_one(element* to, __m512 values) { _mm512_storeu_ps(to, values); }

INLINE void store_two(element* to, __m512 low, __m512 high) {
    store_one(to, low);
    store_one(to + LANES, high);
}

// 16 columns of rows `row` and `row` + 1.
INLINE void store_down(uint32_t* words, int64_t distance, int64_t row, __m512 even, __m512 odd) {
    _mm512_store_ps(words + row * distance, even);
    _mm512_store_ps(words + (row + 1) * distance, odd);
}

// words[t][d]: value d of row t. [length][size].
INLINE void pack_down(const element* rows, int64_t distance, int length, int size,
                      uint32_t* words) {
    for (int64_t t = 0; t < length; t++)
        for (int d = 0; d < size; d += LANES)
            _mm512_store_si512(words + t * size + d, _mm512_loadu_si512(rows + t * distance + d));
}

#endif
