// Every length from 1 to 512 through an attention kernel, in buffers without a byte to spare: built
// with -fsanitize=address,undefined; KERNEL_SOURCE and KERNEL say which.

#include <stdio.h>
#include <string.h>

#include KERNEL_SOURCE

static uint32_t state = 18;

static float drawn(void) {  // in [-2, 2)
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / (1 << 22) - 2;
}

static element from_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    bits &= 0xffff0000u;  // so that both types hold the same
    memcpy(&value, &bits, 4);
    return sizeof(element) == 2 ? (element)(bits >> 16) : (element)value;
}

static double to_double(element value) {
    float result = (float)value;
    if (sizeof(element) == 2) {
        uint32_t bits = (uint32_t)value << 16;
        memcpy(&result, &bits, 4);
    }
    return result;
}

// The largest error of one query's row.
static double error_of(const element* projected, const element* attended, int64_t start, int length,
                       int query, int heads, int size, int head) {
    const int64_t width = heads * size;
    const element* q = projected + (start + query) * 3 * width + head * size;
    double scores[512], most = -1e300, sum = 0, error = 0;
    for (int j = 0; j < length; j++) {
        const element* k = projected + (start + j) * 3 * width + width + head * size;
        scores[j] = 0;
        for (int d = 0; d < size; d++) scores[j] += to_double(q[d]) * to_double(k[d]);
        scores[j] /= sqrt(size);
        if (scores[j] > most) most = scores[j];
    }
    for (int j = 0; j < length; j++) sum += scores[j] = exp(scores[j] - most);
    for (int d = 0; d < size; d++) {
        double expected = 0;
        for (int j = 0; j < length; j++)
            expected += scores[j] / sum *
                        to_double(projected[(start + j) * 3 * width + 2 * width + head * size + d]);
        const double off =
            fabs(expected - to_double(attended[(start + query) * width + head * size + d]));
        if (!(off <= error)) error = off;
    }
    return error;
}

static int run_one(int length, int sequences, int heads, int size) {
    const int64_t tokens = (int64_t)length * sequences + 1, width = heads * size;  // the last: of 1
    element* projected = malloc(tokens * 3 * width * sizeof(element));
    element* attended = malloc(tokens * width * sizeof(element));
    int64_t* starts = malloc((sequences + 2) * sizeof(int64_t));
    for (int64_t i = 0; i < tokens * 3 * width; i++) projected[i] = from_float(drawn());
    for (int i = 0; i <= sequences; i++) starts[i] = (int64_t)i * length;
    starts[sequences + 1] = tokens;
    const int threads = 1 + 3 * (length % 2);  // with 4, queries of a head are divided
    int failed = KERNEL(projected, attended, starts, sequences + 1, tokens, heads, size, NULL, 1,
                        NULL, threads) != DONE;
    for (int query = 0; query < length; query += length > 6 ? length / 3 : 1) {
        const int64_t start = starts[sequences - 1];
        const double error =
            error_of(projected, attended, start, length, query, heads, size, heads - 1);
        if (!(error <= TOLERANCE)) {
            fprintf(stderr, "length %d, size %d, query %d: off by %g\n", length, size, query,
                    error);
            failed = 1;
        }
    }
    free(projected);
    free(attended);
    free(starts);
    return failed;
}

int main(void) {
    int failed = 0;
    for (int length = 1; length <= 512; length++)  // sizes in turn, beyond the first both
        for (int size = 32; size <= 64; size += 32)
            if (length <= 80 || (length % 4 < 2) == (size == 32))
                failed |= run_one(length, 1 + length % 3 / 2, 1 + length % 2, size);
    failed |= run_one(200, 7, 12, 32);
    const int64_t wrong[2] = {0, 2};
    failed |= KERNEL(0, 0, wrong, 1, 1, 1, 64, 0, 1, 0, 1) != WRONG_STARTS;
    failed |= KERNEL(0, 0, wrong, 1, 2, 1, 48, 0, 1, 0, 1) != UNSUPPORTED;
    puts(failed ? "failed" : "all lengths pass");
    return failed;
}
