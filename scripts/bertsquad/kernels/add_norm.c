// LayerNorm(residual + x) of each row in FP32, in place, and once more in BF16 where it is wanted.
//
// Mean and variance are of the sums in memory, the variance by differences from the mean: three
// passes over rows that stay in the nearest cache, four rows at a time, since one would wait for
// its own sums.

#include <math.h>

#include "avx512.h"
#include "team.h"

typedef uint16_t bf16;

enum {
    BESIDE = 4,         // rows done side by side
    ROWS_OF_ITEM = 16,  // an item of work
};

typedef struct {
    float* residual;             // [rows][width], and then the result
    const void* x;               // [rows][width], FP32 or BF16
    const float *weight, *bias;  // [width]
    bf16* copy;                  // [rows][width] or NULL
    int64_t rows, width;
    float epsilon;
} AddNorm;

INLINE __m512 widen(__m256i values) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(values), 16));
}

// What the passes over a row do with 16 columns, or with those of `lanes` at its end: plain loads
// and stores where all are there, since masked stores take several times as long.
INLINE __m512 read(const float* from, __mmask16 lanes, int whole) {
    return whole ? _mm512_loadu_ps(from) : _mm512_maskz_loadu_ps(lanes, from);
}

INLINE __m512 read_x(const void* x, int64_t at, int in_bf16, __mmask16 lanes, int whole) {
    if (!in_bf16) return read((const float*)x + at, lanes, whole);
    const bf16* from = (const bf16*)x + at;
    return widen(whole ? _mm256_loadu_si256((const __m256i*)from)
                       : _mm256_maskz_loadu_epi16(lanes, from));
}

INLINE void write(float* to, __m512 values, __mmask16 lanes, int whole) {
    if (whole)
        _mm512_storeu_ps(to, values);
    else
        _mm512_mask_storeu_ps(to, lanes, values);
}

INLINE void write_bf16(bf16* to, __m512 values, __mmask16 lanes, int whole) {
    const __m256i rounded = (__m256i)_mm512_cvtneps_pbh(values);
    if (whole)
        _mm256_storeu_si256((__m256i*)to, rounded);
    else
        _mm256_mask_storeu_epi16(to, lanes, rounded);
}

INLINE void add(const AddNorm* job, int64_t start, int64_t j, int count, int in_bf16,
                __mmask16 lanes, int whole, __m512 sums[BESIDE]) {
    for (int i = 0; i < count; i++) {
        const int64_t at = start + i * job->width + j;
        const __m512 total = _mm512_add_ps(read(job->residual + at, lanes, whole),
                                           read_x(job->x, at, in_bf16, lanes, whole));
        sums[i] = _mm512_add_ps(sums[i], total);
        write(job->residual + at, total, lanes, whole);
    }
}

INLINE void square(const AddNorm* job, int64_t start, int64_t j, int count, __mmask16 lanes,
                   int whole, const __m512 means[BESIDE], __m512 squares[BESIDE]) {
    for (int i = 0; i < count; i++) {
        const __m512 total = read(job->residual + start + i * job->width + j, lanes, whole);
        const __m512 off = _mm512_maskz_sub_ps(whole ? 0xffff : lanes, total, means[i]);
        squares[i] = _mm512_fmadd_ps(off, off, squares[i]);
    }
}

INLINE void scale(const AddNorm* job, int64_t start, int64_t j, int count, __mmask16 lanes,
                  int whole, const __m512 means[BESIDE], const __m512 scales[BESIDE]) {
    const __m512 weight = read(job->weight + j, lanes, whole);
    const __m512 bias = read(job->bias + j, lanes, whole);
    for (int i = 0; i < count; i++) {
        const int64_t at = start + i * job->width + j;
        const __m512 off = _mm512_sub_ps(read(job->residual + at, lanes, whole), means[i]);
        const __m512 result = _mm512_fmadd_ps(_mm512_mul_ps(off, scales[i]), weight, bias);
        write(job->residual + at, result, lanes, whole);
        if (job->copy) write_bf16(job->copy + at, result, lanes, whole);
    }
}

// `count` rows from `first` on.
INLINE void norm_rows(const AddNorm* job, int64_t first, int count, int in_bf16) {
    const int64_t width = job->width, start = first * width, whole = width / LANES * LANES;
    const __mmask16 rest = first_lanes((int)(width - whole));
    __m512 sums[BESIDE], squares[BESIDE], means[BESIDE], scales[BESIDE];

    for (int i = 0; i < count; i++) sums[i] = squares[i] = _mm512_setzero_ps();
    for (int64_t j = 0; j < whole; j += LANES) add(job, start, j, count, in_bf16, 0, 1, sums);
    if (rest) add(job, start, whole, count, in_bf16, rest, 0, sums);
    for (int i = 0; i < count; i++)
        means[i] = _mm512_set1_ps(_mm512_reduce_add_ps(sums[i]) / (float)width);

    for (int64_t j = 0; j < whole; j += LANES) square(job, start, j, count, 0, 1, means, squares);
    if (rest) square(job, start, whole, count, rest, 0, means, squares);
    for (int i = 0; i < count; i++) {
        const float variance = _mm512_reduce_add_ps(squares[i]) / (float)width;
        scales[i] = _mm512_set1_ps(1.0f / sqrtf(variance + job->epsilon));
    }

    for (int64_t j = 0; j < whole; j += LANES) scale(job, start, j, count, 0, 1, means, scales);
    if (rest) scale(job, start, whole, count, rest, 0, means, scales);
}

INLINE void norm_item(const void* job, int64_t item, int in_bf16) {
    const AddNorm own = *(const AddNorm*)job;  // which no store of a result can change
    int64_t row = item * ROWS_OF_ITEM;
    const int64_t end = row + ROWS_OF_ITEM < own.rows ? row + ROWS_OF_ITEM : own.rows;
    for (; row + BESIDE <= end; row += BESIDE) norm_rows(&own, row, BESIDE, in_bf16);
    for (; row < end; row++) norm_rows(&own, row, 1, in_bf16);
}

static void norm_fp32(const void* job, int64_t item, void* memory) {
    (void)memory;
    norm_item(job, item, 0);
}

static void norm_bf16(const void* job, int64_t item, void* memory) {
    (void)memory;
    norm_item(job, item, 1);
}

// `x` is BF16 where `in_bf16` is not 0, else FP32. `copy` may be NULL. Always DONE.
int add_norm(float* residual, const void* x, int in_bf16, const float* weight, const float* bias,
             float epsilon, bf16* copy, int64_t rows, int64_t width, int threads) {
    const AddNorm job = {residual, x, weight, bias, copy, rows, width, epsilon};
    const Team team = {
        .work = in_bf16 ? norm_bf16 : norm_fp32,
        .job = &job,
        .items = (rows + ROWS_OF_ITEM - 1) / ROWS_OF_ITEM,
    };
    return run_team(team, threads);
}
