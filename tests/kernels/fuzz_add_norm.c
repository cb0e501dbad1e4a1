// Widths 1 to 80 and some of BERT's through add_norm, in buffers without a byte to spare: built
// with -fsanitize=address,undefined.

#include <stdio.h>
#include <string.h>

#include KERNEL_SOURCE

static int run_one(int64_t rows, int64_t width, int in_bf16, int copied) {
    const int64_t count = rows * width;
    float *residual = malloc(count * 4), *weight = malloc(width * 4), *bias = malloc(width * 4);
    float* expected = malloc(count * 4);
    void* x = malloc(count * (in_bf16 ? 2 : 4));
    bf16* copy = copied ? malloc(count * 2) : NULL;
    for (int64_t j = 0; j < width; j++) weight[j] = 1 + (float)(j % 3), bias[j] = (float)(j % 5);
    for (int64_t i = 0; i < count; i++) {
        const float value = (float)(i * i % 17) / 4;  // exact in BF16
        uint32_t bits;
        memcpy(&bits, &value, 4);
        residual[i] = (float)(i * 7 % 11);
        expected[i] = residual[i] + value;
        if (in_bf16)
            ((bf16*)x)[i] = (bf16)(bits >> 16);
        else
            ((float*)x)[i] = value;
    }
    int failed = add_norm(residual, x, in_bf16, weight, bias, 1e-5f, copy, rows, width, 2) != DONE;
    for (int64_t r = 0; r < rows; r++) {
        double mean = 0, squares = 0;
        for (int64_t j = 0; j < width; j++) mean += expected[r * width + j] / (double)width;
        for (int64_t j = 0; j < width; j++)
            squares += (expected[r * width + j] - mean) * (expected[r * width + j] - mean);
        for (int64_t j = 0; j < width; j++) {
            const double off = (expected[r * width + j] - mean) / sqrt(squares / width + 1e-5);
            const double error = fabs(off * weight[j] + bias[j] - residual[r * width + j]);
            if (!(error <= 1e-4)) failed = 1;
        }
    }
    if (failed) fprintf(stderr, "rows %d, width %d, bf16 %d\n", (int)rows, (int)width, in_bf16);
    free(residual), free(weight), free(bias), free(expected), free(x), free(copy);
    return failed;
}

int main(void) {
    int failed = 0;
    for (int64_t width = 1; width <= 80; width++)
        for (int64_t rows = 0; rows <= 21; rows += 3)
            for (int kind = 0; kind < 4; kind++) failed |= run_one(rows, width, kind & 1, kind & 2);
    failed |= run_one(50, 768, 1, 1) | run_one(50, 1024, 0, 0);
    puts(failed ? "failed" : "all widths pass");
    return failed;
}
