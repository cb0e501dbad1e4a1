// attention_bf16: self-attention in BF16.

#include "words_bf16.h"

#include "attention_forward.h"
