// The gradients of self-attention with dropout, of packed sequences, from each row's largest score
// and powers' sum, which the forward pass keeps; probabilities are computed again. With
//
//   p = softmax(q k' / sqrt(d)), dropped = scale mask p, out = dropped v:
//   dv = dropped' dout,  dp = scale mask (dout v'),  ds = p (dp - sum(p dp)) / sqrt(d),
//   dq = ds k,  dk = ds' q.
//
// Each head of each sequence is done alone: CHUNK queries at a time, whose probabilities and ds
// stay in the cache until their shares of dk and dv, which are summed in FP32, are added.

#include "products.h"
#include "sequences.h"
#include "team.h"

enum { CHUNK = 96 };  // a multiple of ROWS and of 2

typedef struct {
    const element* projected;    // [tokens][3][heads][size]: query, key, value
    const element* of_attended;  // [tokens][heads][size]
    element* of_projected;       // as `projected`
    const float* softmax;        // [tokens][heads][2]: largest score and 1 / sum of powers
    const int64_t* starts;       // [sequences + 1]
    int64_t heads;
    int64_t padded;              // tokens of the longest sequence, rounded up to 96
    const int8_t* const* masks;  // each sequence's [heads][length][length]; NULL without dropout
    float scale;                 // of what dropout keeps
} Backward;

// One thread's memory.
typedef struct {
    uint32_t *keys_across, *values_across;      // [size / STEP][padded]
    uint32_t* keys_down;                        // [padded / STEP][size]
    uint32_t *queries_down, *of_attended_down;  // [CHUNK / STEP][size]
    uint32_t *dropped_down, *of_scores_down;    // [CHUNK / STEP][padded]
    float *of_keys, *of_values;                 // [padded][size]
    float *scores, *of_probabilities;           // [ROWS][padded]
    element* of_scores;                         // [ROWS][padded]
    element *queries, *of_attended;             // [ROWS][size]
} Workspace;

// What a head of a sequence is.
typedef struct {
    const element *queries, *keys, *values, *of_attended;
    element *of_queries, *of_keys, *of_values;
    const float* softmax;
    const int8_t* mask;                   // [length][length] or NULL
    int64_t distance, width, statistics;  // between rows: of projected, of_attended, softmax
    int length;
} Head;

INLINE int64_t padded_of(int64_t length) { return (length + 95) / 96 * 96; }

// The next bytes of `memory`, which may be NULL: `used` tells how many it must have.
INLINE void* take(char* memory, size_t* used, int64_t bytes) {
    void* taken = memory ? memory + *used : NULL;
    *used += (size_t)(bytes + 63) / 64 * 64;
    return taken;
}

// Divides `memory`, if there is any, and returns the bytes needed.
INLINE size_t divide(char* memory, int64_t padded, int64_t size, Workspace* at) {
    const int64_t e = sizeof(element);
    size_t used = 0;
    at->keys_across = take(memory, &used, size * padded * e);
    at->values_across = take(memory, &used, size * padded * e);
    at->keys_down = take(memory, &used, padded * size * e);
    at->queries_down = take(memory, &used, CHUNK * size * e);
    at->of_attended_down = take(memory, &used, CHUNK * size * e);
    at->dropped_down = take(memory, &used, CHUNK * padded * e);
    at->of_scores_down = take(memory, &used, CHUNK * padded * e);
    at->of_keys = take(memory, &used, padded * size * 4);
    at->of_values = take(memory, &used, padded * size * 4);
    at->scores = take(memory, &used, ROWS * padded * 4);
    at->of_probabilities = take(memory, &used, ROWS * padded * 4);
    at->of_scores = take(memory, &used, ROWS * padded * e);
    at->queries = take(memory, &used, ROWS * size * e);
    at->of_attended = take(memory, &used, ROWS * size * e);
    return used;
}

// One row: its scores become probabilities, its gradients are dropped as those were; sum(p dp).
INLINE float soften_row(float* scores, float* of_probabilities, const Head* head, int query,
                        float scale, float factor) {
    const float* softmax = head->softmax + query * head->statistics;
    const int8_t* mask = head->mask ? head->mask + (int64_t)query * head->length : NULL;
    const __m512 most = _mm512_set1_ps(softmax[0]), share = _mm512_set1_ps(softmax[1]);
    const __m512 by = _mm512_set1_ps(factor), scales = _mm512_set1_ps(scale);
    __m512 sum = _mm512_setzero_ps();
    for (int j = 0; j < head->length; j += LANES) {
        const __m512 p = _mm512_mul_ps(power_of(scores + j, most, by), share);
        const __mmask16 there = first_lanes(least(head->length - j, LANES));
        const __mmask16 lanes = kept(mask, j, head->length) & there;
        const __m512 dp = _mm512_maskz_mul_ps(lanes, _mm512_load_ps(of_probabilities + j), scales);
        sum = _mm512_fmadd_ps(p, dp, sum);
        _mm512_store_ps(scores + j, p);
        _mm512_store_ps(of_probabilities + j, dp);
    }
    return _mm512_reduce_add_ps(sum);
}

// Rows `first` + i and + i + 1 of the chunk: what dropout keeps of p, and ds, along both ways.
INLINE void store_pair(const Workspace* at, const Head* head, int64_t padded, int row, int i,
                       int rows, int query, const float sums[ROWS], float scale) {
    const __m512 scales = _mm512_set1_ps(scale);
    for (int j = 0; j < head->length; j += LANES) {
        __m512 dropped[2], ds[2];
        for (int k = 0; k < 2; k++) {
            const int8_t* mask = head->mask && i + k < rows
                                     ? head->mask + (int64_t)(query + k) * head->length
                                     : NULL;
            const int64_t from = (i + k) * padded + j;
            const __m512 p = i + k < rows ? _mm512_load_ps(at->scores + from) : _mm512_setzero_ps();
            const __m512 dp = _mm512_load_ps(at->of_probabilities + from);
            dropped[k] = _mm512_maskz_mul_ps(kept(mask, j, head->length), p, scales);
            ds[k] = i + k < rows ? _mm512_mul_ps(p, _mm512_sub_ps(dp, _mm512_set1_ps(sums[i + k])))
                                 : _mm512_setzero_ps();
            store_one(at->of_scores + from, ds[k]);
        }
        store_down(at->dropped_down + j, padded, row + i, dropped[0], dropped[1]);
        store_down(at->of_scores_down + j, padded, row + i, ds[0], ds[1]);
    }
}

// ROWS queries, the first of which is row `row` of the chunk: their dq, and their rows of the
// chunk.
INLINE void do_rows(const Workspace* at, const Head* head, int64_t padded, int size, int query,
                    int row, float scale) {
    const int rows = least(head->length - query, ROWS), length = head->length;
    const float root = 1.0f / sqrtf((float)size);
    __m512 largest[ROWS], products[ROWS][TILE];
    float sums[ROWS];

    copy_rows(head->queries + query * head->distance, head->distance, rows, size, at->queries);
    copy_rows(head->of_attended + query * head->width, head->width, rows, size, at->of_attended);
    score(at->queries, at->keys_across, padded, size, length, at->scores, largest);
    score(at->of_attended, at->values_across, padded, size, length, at->of_probabilities, largest);
    for (int i = 0; i < rows; i++)
        sums[i] = soften_row(at->scores + i * padded, at->of_probabilities + i * padded, head,
                             query + i, scale, LOG2_E * root);
    for (int i = 0; i < ROWS; i += 2)
        store_pair(at, head, padded, row, i, rows, query + i, sums, scale);
    multiply(at->of_scores, padded * sizeof(element), 4, at->keys_down, size,
             (length + STEP - 1) / STEP, size / LANES, products);
    for (int i = 0; i < rows; i++)
        for (int d = 0; d < size; d += 2 * LANES)
            store_two(head->of_queries + (query + i) * head->distance + d,
                      _mm512_mul_ps(products[i][d / LANES], _mm512_set1_ps(root)),
                      _mm512_mul_ps(products[i][d / LANES + 1], _mm512_set1_ps(root)));
}

// total[length][size] += left[chunk]' x right[chunk][size]; the first chunk's is the total.
INLINE void add_product(const uint32_t* left, int64_t padded, const uint32_t* right, int chunk,
                        int size, int length, int is_first, float* total) {
    for (int j = 0; j < length; j += ROWS) {
        __m512 sums[ROWS][TILE];
        multiply(left + j, 4, padded * 4, right, size, (chunk + STEP - 1) / STEP, size / LANES,
                 sums);
        for (int i = 0; i < ROWS; i++)
            for (int d = 0; d < size; d += LANES) {
                float* to = total + (j + i) * size + d;
                const __m512 sum = sums[i][d / LANES];
                _mm512_store_ps(to, is_first ? sum : _mm512_add_ps(_mm512_load_ps(to), sum));
            }
    }
}

INLINE void store_rows(const float* rows, int length, int size, float factor, int64_t distance,
                       element* target) {
    const __m512 by = _mm512_set1_ps(factor);
    for (int64_t j = 0; j < length; j++)
        for (int d = 0; d < size; d += 2 * LANES)
            store_two(target + j * distance + d,
                      _mm512_mul_ps(_mm512_load_ps(rows + j * size + d), by),
                      _mm512_mul_ps(_mm512_load_ps(rows + j * size + d + LANES), by));
}

INLINE Head head_of(const Backward* job, int64_t item, int size) {
    const int64_t sequence = item / job->heads, number = item % job->heads;
    const int64_t start = job->starts[sequence], width = job->heads * size;
    const int length = (int)(job->starts[sequence + 1] - start);
    const int64_t at = start * 3 * width + number * size;
    return (Head){
        .queries = job->projected + at,
        .keys = job->projected + at + width,
        .values = job->projected + at + 2 * width,
        .of_attended = job->of_attended + start * width + number * size,
        .of_queries = job->of_projected + at,
        .of_keys = job->of_projected + at + width,
        .of_values = job->of_projected + at + 2 * width,
        .softmax = job->softmax + (start * job->heads + number) * 2,
        .mask = job->masks ? job->masks[sequence] + number * length * length : NULL,
        .distance = 3 * width,
        .width = width,
        .statistics = 2 * job->heads,
        .length = length,
    };
}

INLINE void differentiate(const Backward* job, int64_t item, void* memory, int size) {
    const Head head = head_of(job, item, size);
    const int64_t padded = job->padded;
    const int length = head.length;
    Workspace at;
    divide(memory, padded, size, &at);

    pack_across(head.keys, head.distance, length, padded, size, at.keys_across);
    pack_across(head.values, head.distance, length, padded, size, at.values_across);
    pack_down(head.keys, head.distance, length, size, at.keys_down);
    for (int first = 0; first < length; first += CHUNK) {
        const int chunk = least(length - first, CHUNK);
        pack_down(head.queries + first * head.distance, head.distance, chunk, size,
                  at.queries_down);
        pack_down(head.of_attended + first * head.width, head.width, chunk, size,
                  at.of_attended_down);
        for (int row = 0; row < chunk; row += ROWS)
            do_rows(&at, &head, padded, size, first + row, row, job->scale);
        add_product(at.dropped_down, padded, at.of_attended_down, chunk, size, length, first == 0,
                    at.of_values);
        add_product(at.of_scores_down, padded, at.queries_down, chunk, size, length, first == 0,
                    at.of_keys);
    }
    store_rows(at.of_values, length, size, 1, head.distance, head.of_values);
    store_rows(at.of_keys, length, size, 1.0f / sqrtf((float)size), head.distance, head.of_keys);
}

static void differentiate_32(const void* job, int64_t item, void* memory) {
    differentiate(job, item, memory, 32);
}
static void differentiate_64(const void* job, int64_t item, void* memory) {
    differentiate(job, item, memory, 64);
}

// Returns what `attention` does.
int NAMED(attention_backward)(const element* projected, const element* of_attended,
                              element* of_projected, const float* softmax, const int64_t* starts,
                              int64_t sequences, int64_t tokens, int64_t heads, int64_t size,
                              const int8_t* const* masks, float scale, int threads) {
    if (size != 32 && size != 64) return UNSUPPORTED;
    const int64_t longest = longest_of(starts, sequences, tokens);
    if (longest < 0) return WRONG_STARTS;
    const Backward job = {
        .projected = projected,
        .of_attended = of_attended,
        .of_projected = of_projected,
        .softmax = softmax,
        .starts = starts,
        .heads = heads,
        .padded = padded_of(longest),
        .masks = masks,
        .scale = scale,
    };
    Workspace unused;
    const Team team = {
        .work = size == 32 ? differentiate_32 : differentiate_64,
        .job = &job,
        .items = sequences * heads,
        .workspace_bytes = divide(NULL, job.padded, size, &unused),
    };
    return run_team(team, threads);
}
