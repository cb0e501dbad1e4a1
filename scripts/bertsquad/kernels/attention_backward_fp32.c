// attention_backward_fp32: the gradients of self-attention in FP32.

#include "words_fp32.h"

#include "attention_backward.h"
