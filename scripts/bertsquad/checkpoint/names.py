"""Tensor names of three origins, mapped to Hugging Face's names for the same tensors.

Google's names: google-research/bert modeling.py and run_squad.py. Hugging Face's: transformers,
BertForQuestionAnswering and BertForPreTraining.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """Where a tensor goes."""

    name: str  # empty: it has no place in a model folder and is dropped
    transposed: bool = False  # TensorFlow's dense kernels are [in, out], PyTorch's are [out, in]


DROPPED = Target("")

# The names end in what the tensor is. Norms have gamma and beta, all other layers kernel and bias.
_NORM_LEAVES = {"gamma": "weight", "beta": "bias"}
_HEAD_LEAVES = {"output_weights": "weight", "output_bias": "bias"}  # [out, in] already
_HEADS = {"cls/squad": "qa_outputs", "cls/seq_relationship": "cls.seq_relationship"}


def from_google(name: str) -> Target | None:
    """The target of a tensor named as Google's BERT names it; None for an unknown name.

    Dropped: what the optimizer keeps (adam_m, adam_v, global_step), and the masked-language-model
    head, cls/predictions.
    """
    name = name.removeprefix("module/")
    scope, _, leaf = name.rpartition("/")
    if leaf in ("adam_m", "adam_v") or name == "global_step" or name.startswith("cls/predictions/"):
        return DROPPED
    if scope in _HEADS and leaf in _HEAD_LEAVES:
        return Target(f"{_HEADS[scope]}.{_HEAD_LEAVES[leaf]}")
    if not scope.startswith("bert/"):
        return None
    module = re.sub(r"/layer_(\d+)(?=/)", r"/layer.\1", scope).replace("/", ".")
    if scope == "bert/embeddings" and leaf.endswith("_embeddings"):
        return Target(f"{module}.{leaf}.weight")
    if scope.endswith("/LayerNorm"):
        return Target(f"{module}.{_NORM_LEAVES[leaf]}") if leaf in _NORM_LEAVES else None
    if leaf in ("kernel", "bias"):
        return Target(f"{module}.{leaf.replace('kernel', 'weight')}", transposed=leaf == "kernel")
    return None


def from_intel(name: str) -> Target | None:
    """The target of a tensor named as Intel's Model Zoo names it; None for an unknown name.

    Its norms are Keras layers, which Keras numbers through the whole graph in the order of their
    creation: layer_normalization in the embeddings, then _1 and _2 in layer_0, and so on. Every
    scope has one norm, so the scope alone identifies it and the number is not needed. (Model
    Zoo modeling.py makes the same replacement when it loads Google's names.)
    """
    return from_google(re.sub(r"(?<=/)layer_normalization(_\d+)?(?=/)", "LayerNorm", name))


def from_huggingface(name: str) -> Target | None:
    """The target of a tensor named as transformers names it, with or without the `bert.` before an
    encoder saved alone; None for an unknown name.

    Dropped: cls.predictions, and constant buffers that old releases saved. The names gamma and
    beta of converted norms in old files become weight and bias.
    """
    name = name.removeprefix("module.").removeprefix("bert.")
    if name in ("embeddings.position_ids", "embeddings.token_type_ids"):
        return DROPPED
    if name.startswith("cls.predictions."):
        return DROPPED
    if name.startswith(("embeddings.", "encoder.", "pooler.")):
        name = f"bert.{name}"
    elif not name.startswith(("qa_outputs.", "cls.seq_relationship.")):
        return None
    stem, _, leaf = name.rpartition(".LayerNorm.")
    if stem and leaf in _NORM_LEAVES:
        name = f"{stem}.LayerNorm.{_NORM_LEAVES[leaf]}"
    return Target(name)


MAPS = {"google": from_google, "intel": from_intel, "huggingface": from_huggingface}
