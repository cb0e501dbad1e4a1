"""The two commands of Intel's guide as they are typed, and the files that they name."""

import shlex
from pathlib import Path

from bertsquad.modelzoo.settings import CallFiles

LAUNCHER = "/tmp/models/benchmarks/launch_benchmark.py"
TRAINING = r"""
python3 /tmp/models/benchmarks/launch_benchmark.py \
--model-name=bert_large \
--precision=bfloat16 \
--mode=training \
--mpi_num_processes=4 \
--mpi_num_processes_per_socket=1 \
--num-intra-threads=22 \
--num-inter-threads=1 \
--output-dir=/tmp/SQuAD_1.1_fine_tune \
--framework=tensorflow \
--batch-size=24 \
-- train_option=SQuAD \
vocab_file=/tmp/wwm_cased_L-24_H-1024_A-16/vocab.txt \
config_file=/tmp/wwm_cased_L-24_H-1024_A-16/bert_config.json \
init_checkpoint=/tmp/wwm_cased_L-24_H-1024_A-16/bert_model.ckpt \
do_train=True \
train_file=/tmp/train-v1.1.json \
do_predict=True \
predict_file=/tmp/dev-v1.1.json \
learning_rate=1.5e-5  \
num_train_epochs=2 \
warmup-steps=0 \
doc_stride=128 \
do_lower_case=False \
max_seq_length=384 \
experimental_gelu=True \
optimized-softmax=True \
mpi_workers_sync_gradients=True
"""
INFERENCE = r"""
numactl --localalloc --physcpubind=0-27 python3 /tmp/models/benchmarks/launch_benchmark.py \
 --model-name=bert_large \
 --precision=bfloat16 \
 --mode=inference \
--framework=tensorflow \
--num-inter-threads 1 \
--num-intra-threads 28 \
--batch-size=32 \
--data-location /tmp/wwm_uncased_L-24_H-1024_A-16 \
--checkpoint /tmp/bert_large_checkpoints \
--output-dir /tmp/SQuAD_1.1_inference \
--benchmark-only
"""
TRAINING_FILES = CallFiles(
    output=Path("/tmp/SQuAD_1.1_fine_tune"),
    vocab=Path("/tmp/wwm_cased_L-24_H-1024_A-16/vocab.txt"),
    config=Path("/tmp/wwm_cased_L-24_H-1024_A-16/bert_config.json"),
    weights=Path("/tmp/wwm_cased_L-24_H-1024_A-16/bert_model.ckpt"),
    dev=Path("/tmp/dev-v1.1.json"),
    train=Path("/tmp/train-v1.1.json"),
)
INFERENCE_FILES = CallFiles(
    output=Path("/tmp/SQuAD_1.1_inference"),
    vocab=Path("/tmp/wwm_uncased_L-24_H-1024_A-16/vocab.txt"),
    config=Path("/tmp/wwm_uncased_L-24_H-1024_A-16/bert_config.json"),
    weights=Path("/tmp/bert_large_checkpoints/model.ckpt-3649"),
    dev=Path("/tmp/wwm_uncased_L-24_H-1024_A-16/dev-v1.1.json"),
)


def words(text: str) -> list[str]:
    """The words of a command, split as a shell does."""
    return shlex.split(text.replace("\\\n", " "))


def here(words: list[str]) -> list[str]:
    """Golden words with the guide's paths for $PYTHON, $MODELS and $WORK."""
    places = {"$PYTHON": "python3", "$MODELS": "/tmp/models", "$WORK": "/tmp"}
    for name, place in places.items():
        words = [word.replace(name, place) for word in words]
    return words
