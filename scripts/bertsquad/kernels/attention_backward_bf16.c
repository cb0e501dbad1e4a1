// attention_backward_bf16: the gradients of self-attention in BF16.

#include "words_bf16.h"

#include "attention_backward.h"
