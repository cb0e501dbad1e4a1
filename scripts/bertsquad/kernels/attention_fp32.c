// attention_fp32: self-attention in FP32.

#include "words_fp32.h"

#include "attention_forward.h"
