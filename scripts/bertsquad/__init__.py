"""Fine-tune BERT on SQuAD 1.1, score it, and measure how fast a machine serves it."""
