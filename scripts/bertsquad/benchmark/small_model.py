"""A small model of random weights and features for it: enough to time, made in a second."""

from pathlib import Path

from bertsquad.benchmark.random_bert import BERT_LARGE, random_features, write_model
from bertsquad.benchmark.squad_lengths import MAX_SEQ_LENGTH, read_lengths
from bertsquad.benchmark.workload import spread_over_lengths
from bertsquad.data import features

# MiniLM's width; 4 of its 12 layers, so that a pass over 32 features takes a quarter of a second.
SHAPE = {
    "hidden_size": 384,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
    "num_hidden_layers": 4,
    "vocab_size": 2000,
}
FEATURES = 32  # spread over the lengths of SQuAD's development set


def make_small_model(folder: Path) -> tuple[Path, Path]:
    """The model's folder, and the file of FEATURES features that fit it; kept where they are."""
    model, path = folder / "model", folder / "features.safetensors"
    if not path.exists():
        write_model(model, BERT_LARGE | SHAPE, seed=0)
        lengths = read_lengths()
        chosen = lengths[spread_over_lengths(lengths, FEATURES)]
        made = random_features(chosen, model, max_seq_length=MAX_SEQ_LENGTH, seed=0)
        features.write(path, made)
    return model, path
