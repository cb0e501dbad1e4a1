// What kernels share: sizes of AVX-512 registers, 2^x, transposing.

#ifndef BERTSQUAD_AVX512_H
#define BERTSQUAD_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))
#define LOG2_E 1.44269504088896340736f

enum {
    LANES = 16,  // 32-bit values of a register
    ROWS = 6,    // rows of a product computed at once: 6 x 4 of the 32 registers hold its sums
    TILE = 4,    // registers of a product's columns computed at once
};

INLINE int least(int a, int b) { return a < b ? a : b; }

INLINE int registers_for(int values) { return (values + LANES - 1) / LANES; }

// 1 for the first `count` lanes, 0 <= count <= 16.
INLINE __mmask16 first_lanes(int count) { return (__mmask16)((1u << count) - 1); }

// 2^x for x <= 0, 0 for -infinity, by a polynomial for the fraction of x, which is in [0, 1), and
// scalef for x rounded down. The coefficients have the least largest relative error that is 0 at
// x = 0: 1e-7 with 5 of them.
INLINE __m512 exp2_of(__m512 x) {
    const __m512 fraction = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    __m512 power = _mm512_set1_ps(1.867130496e-3f);
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(9.017029415e-3f));
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(5.579991376e-2f));
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(2.401644500e-1f));
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(6.931513118e-1f));
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(1.0f));
    return _mm512_scalef_ps(power, x);
}

// The same with 4 coefficients, for results that are rounded to BF16: 3e-6.
INLINE __m512 rough_exp2_of(__m512 x) {
    const __m512 fraction = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    __m512 power = _mm512_set1_ps(1.342668797e-2f);
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(5.224246823e-2f));
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(2.412802076e-1f));
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(6.930448445e-1f));
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(1.0f));
    return _mm512_scalef_ps(power, x);
}

// target[column][row] = source[row][column], 16 x 16 of 32 bits; rows from `rows` on count as 0 and
// are not read. Distances between rows are in bytes.
INLINE void transpose(const char* source, int64_t source_row, int rows, char* target,
                      int64_t target_row) {
    __m512i a[16], b[16];
    for (int i = 0; i < 16; i++)
        a[i] = i < rows ? _mm512_loadu_si512(source + i * source_row) : _mm512_setzero_si512();
    for (int i = 0; i < 16; i += 2) {  // pairs of rows
        b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
        b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {  // a[i + c]: columns c, 4 + c, 8 + c, 12 + c of 4 rows
        a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
        a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
        a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
        a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
    }
    for (int c = 0; c < 4; c++) {
        const __m512i even_top = _mm512_shuffle_i32x4(a[c], a[4 + c], 0x88);  // columns c, 8 + c
        const __m512i odd_top = _mm512_shuffle_i32x4(a[c], a[4 + c], 0xdd);   // 4 + c, 12 + c
        const __m512i even_low = _mm512_shuffle_i32x4(a[8 + c], a[12 + c], 0x88);
        const __m512i odd_low = _mm512_shuffle_i32x4(a[8 + c], a[12 + c], 0xdd);
        char* to = target + c * target_row;
        _mm512_storeu_si512(to, _mm512_shuffle_i32x4(even_top, even_low, 0x88));
        _mm512_storeu_si512(to + 4 * target_row, _mm512_shuffle_i32x4(odd_top, odd_low, 0x88));
        _mm512_storeu_si512(to + 8 * target_row, _mm512_shuffle_i32x4(even_top, even_low, 0xdd));
        _mm512_storeu_si512(to + 12 * target_row, _mm512_shuffle_i32x4(odd_top, odd_low, 0xdd));
    }
}

#endif
