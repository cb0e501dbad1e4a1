// Every length from 1 to 512 through the gradients of attention, with and without dropout, in
// buffers without a byte to spare: built with -fsanitize=address,undefined; KERNEL_SOURCE and
// KERNEL say which. Equal keys make every score 0, so that each gradient is a sum that is known.

#include <stdio.h>
#include <string.h>

#include KERNEL_SOURCE

static element from_float(float value) {  // of few digits, so that BF16 holds it
    uint32_t bits;
    memcpy(&bits, &value, 4);
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

// Queries 0, values 1, every gradient 1: probabilities are 1 / length, dp = size * scale where
// kept, dv[j] = scale * kept queries / length; with all kept, ds = 0 and so are dq and dk.
static int run_one(int length, int heads, int size, int dropping) {
    const int64_t width = (int64_t)heads * size, masks_size = (int64_t)heads * length * length;
    element* projected = malloc(length * 3 * width * sizeof(element));
    element* gradient = malloc(length * width * sizeof(element));
    element* result = malloc(length * 3 * width * sizeof(element));
    float* softmax = malloc(length * heads * 2 * sizeof(float));
    int8_t* mask = malloc(masks_size);
    int64_t* starts = malloc(2 * sizeof(int64_t));
    for (int64_t i = 0; i < length * 3 * width; i++)
        projected[i] = from_float(i % (3 * width) >= 2 * width ? 1 : 0);
    for (int64_t i = 0; i < length * width; i++) gradient[i] = from_float(1);
    for (int64_t i = 0; i < (int64_t)length * heads; i++)
        softmax[2 * i] = 0, softmax[2 * i + 1] = 1.0f / (float)length;
    for (int64_t i = 0; i < masks_size; i++) mask[i] = !dropping || i % 7 != 0;
    starts[0] = 0, starts[1] = length;
    const int8_t* masks[1] = {mask};
    int failed = KERNEL(projected, gradient, result, softmax, starts, 1, length, heads, size,
                        dropping ? masks : NULL, dropping ? 1.25f : 1, 2) != DONE;
    for (int j = 0; j < length; j++)
        for (int64_t c = 0; c < width; c++) {
            int kept_queries = 0;
            for (int i = 0; i < length && c % size == 0; i++)
                kept_queries += mask[(c / size * length + i) * length + j];
            const element* row = result + j * 3 * width + c;
            const double expected = (dropping ? 1.25 : 1) * kept_queries / length;
            if (c % size == 0 && !(fabs(to_double(row[2 * width]) - expected) <= 0.01)) failed = 1;
            if (!(fabs(to_double(row[0])) <= 0.01)) failed = 1;      // keys are 0
            if (!(fabs(to_double(row[width])) <= 0.01)) failed = 1;  // queries are 0
        }
    if (failed) fprintf(stderr, "length %d, size %d, dropping %d\n", length, size, dropping);
    free(projected), free(gradient), free(result), free(softmax), free(mask), free(starts);
    return failed;
}

int main(void) {
    int failed = 0;
    for (int length = 1; length <= 512; length++)
        failed |= run_one(length, length < 80 ? 2 : 1, length % 4 < 2 ? 32 : 64, length % 3 > 0);
    puts(failed ? "failed" : "all lengths pass");
    return failed;
}
