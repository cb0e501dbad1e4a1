"""Who takes part: for each work the contenders that do it, and what each of them does."""

from __future__ import annotations

from dataclasses import dataclass

from bertsquad.engines import PRECISIONS

OURS = ".venv"
_PEERS = ".venv-bench/peers"
_TENSORFLOW = ".venv-bench/tensorflow"

_LAYERS = {"inference": 4, "single": 4, "training": 2, "memory": 24}
PROGRAMS = {
    **dict.fromkeys(("transformers", "onnxruntime", "openvino", "tokenizers", "plain"), _PEERS),
    **dict.fromkeys(("ours", "ours_data", "ours_answers", "ceiling"), OURS),
    "answers": _PEERS,
    "tensorflow": _TENSORFLOW,
}

REAL, PADDED, SINGLE, TEXTS, CEILING = "real", "padded", "single", "texts", "ceiling"
ANSWERS = "answers"
TRAINING = "training"
SPARING = "training-sparing"  # with activation_checkpointing


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do a work. `form`: "real" lengths, "padded" to max_seq_length, "single" request,
    "texts" to features, texts to "answers", or the machine's "ceiling"."""

    title: str  # in the table
    program: str  # scripts/peers/<program>_peer.py
    variant: str  # which way of that program
    precision: str
    form: str
    how: str  # one line for the reader
    layers: int
    graphs: tuple[str, ...] = ()  # that convert.py makes for it

    @property
    def ours(self) -> bool:
        return self.program.startswith("ours")

    @property
    def trains(self) -> bool:
        return self.variant in (TRAINING, SPARING)

    @property
    def name(self) -> str:
        """Unique in its work, and fit for a file name."""
        parts = (self.program, self.variant, self.precision, self.form, f"layers{self.layers}")
        return "-".join(dict.fromkeys(parts))


@dataclass(frozen=True, slots=True)
class Work:
    """Contenders that do the same and are measured in the same rounds."""

    name: str
    task: str  # inference | single | training | data | linearity | memory
    precision: str
    contenders: tuple[Contender, ...]


def works() -> list[Work]:
    """All of them, in the order of the table."""
    precisions = ("fp32", "bf16", "int8")
    return [
        Work("data", "data", "fp32", _texts_to_features()),
        *(Work(f"inference-{p}", "inference", p, inference(p)) for p in precisions),
        *(Work(f"answers-{p}", "answers", p, answers(p)) for p in precisions),
        *(Work(f"single-{p}", "single", p, single(p)) for p in precisions),
        *(Work(f"training-{p}", "training", p, training(p)) for p in ("fp32", "bf16")),
        Work("linearity", "linearity", "fp32", linearity()),
        Work("memory", "memory", "fp32", memory()),
    ]


def inference(precision: str) -> tuple[Contender, ...]:
    layers = _LAYERS["inference"]
    return (
        *ours(precision, REAL, layers),
        *_engines(precision, REAL, layers),
        *ours(precision, PADDED, layers),
        *_engines(precision, PADDED, layers),
        *((_tensorflow("fp32", layers),) if precision != "fp32" else ()),
        _ceiling(precision, layers),
    )


def answers(precision: str) -> tuple[Contender, ...]:
    """Texts of questions and contexts in, texts of answers out."""
    layers = _LAYERS["inference"]
    graph = "openvino-int8.xml" if precision == "int8" else "openvino.xml"
    peers: list[tuple[str, str, str, tuple[str, ...]]] = [
        (
            "tokenizers + OpenVINO",
            "openvino",
            "pairs, one window a request at real length, a stream for each thread, best span",
            ("model.onnx", graph),
        )
    ]
    if precision != "int8":
        how = "pairs, eager, one window after the other at real length, best span"
        peers.append(("tokenizers + transformers", "transformers", how, ()))
    return (
        *(
            Contender(f"bertsquad {engine}", "ours_answers", engine, precision, ANSWERS,
                 "texts to the 20 best answers, features and answers made alongside", layers)
            for engine, has in PRECISIONS.items()
            if precision in has
        ),
        *(
            Contender(title, "answers", variant, precision, ANSWERS, how, layers, graphs)
            for title, variant, how, graphs in peers
        ),
    )  # fmt: skip


def single(precision: str) -> tuple[Contender, ...]:
    layers = _LAYERS["single"]
    return (
        *ours(precision, SINGLE, layers),
        *_engines(precision, SINGLE, layers),
        _ceiling(precision, layers),
    )


_OUR_FORMS = {
    REAL: "real lengths, the engine's own plan and stream",
    PADDED: "padded to 384, batches of 4",
    SINGLE: "one request after the other at real length, all threads on each",
}
_PEER_FORMS = {
    REAL: "real lengths, batches of up to 4 of equal length",
    PADDED: "padded to 384, batches of 4",
    SINGLE: "one request after the other at real length, all threads on each",
}
_OPENVINO_FORMS = {
    REAL: "real lengths, one sequence a request, a stream for each thread",
    PADDED: "padded to 384, one sequence a request, a stream for each thread",
    SINGLE: "one request after the other at real length, one stream",
}


def ours(precision: str, form: str, layers: int) -> list[Contender]:
    """Every engine of this project that has the precision."""
    return [
        Contender(f"bertsquad {engine}", "ours", engine, precision, form, _OUR_FORMS[form], layers)
        for engine, has in PRECISIONS.items()
        if precision in has
    ]


def _engines(precision: str, form: str, layers: int) -> list[Contender]:
    """The peers that have the precision, in this form."""
    how = _PEER_FORMS[form]
    made = []
    if precision != "int8":
        kind = "FP32" if precision == "fp32" else "autocast to BF16"
        for variant, title, text in (
            ("eager", "transformers", f"eager, SDPA, {kind}; {how}"),
            ("compiled", "transformers, compiled", f"torch.compile, frozen, {kind}; {how}"),
        ):
            made.append(Contender(title, "transformers", variant, precision, form, text, layers))
    if precision != "bf16":
        kind, graphs = {
            "fp32": ("nodes fused by its optimiser", ("onnxruntime.onnx",)),
            "int8": (
                "quantize_dynamic by channel, on the fused graph",
                ("onnxruntime.onnx", "onnxruntime-int8.onnx"),
            ),
        }[precision]
        graphs = ("model.onnx", *graphs)
        text = f"{kind}; {how}"
        made.append(
            Contender("ONNX Runtime", "onnxruntime", "graph", precision, form, text, layers, graphs)
        )
    kind, graph = {
        "fp32": ("f32 hint", "openvino.xml"),
        "bf16": ("bf16 hint", "openvino.xml"),
        "int8": ("quantised by NNCF after training", "openvino-int8.xml"),
    }[precision]
    forms = [("OpenVINO", "graph", _OPENVINO_FORMS[form])]
    if form == REAL:
        how = f"{_PEER_FORMS[REAL]} a request, a stream for each thread"
        forms.append(("OpenVINO, groups", "groups", how))
    graphs = ("model.onnx", graph)
    for title, variant, how in forms:
        text = f"{kind}; {how}"
        made.append(Contender(title, "openvino", variant, precision, form, text, layers, graphs))
    if form == PADDED and precision != "int8":
        made.append(_tensorflow(precision, layers))
    return made


def _tensorflow(precision: str, layers: int, variant: str = "function") -> Contender:
    kind = "FP32" if precision == "fp32" else "products in BF16"
    text = f"written out in tf.function, oneDNN, {kind}; padded to 384"
    return Contender("TensorFlow", "tensorflow", variant, precision, PADDED, text, layers)


def training(precision: str) -> tuple[Contender, ...]:
    """A step with all gradients and the update; no dropout on any contender."""
    layers = _LAYERS["training"]
    own = [
        Contender("bertsquad torch", "ours", TRAINING, precision, form, how, layers)
        for form, how in (
            (REAL, "packed micro-batches at real lengths"),
            (PADDED, "packed micro-batches, all sequences 384 tokens long"),
        )
    ]
    others = []
    for kind in dict.fromkeys((precision, "fp32")):
        text = "eager, SDPA, fused AdamW, " + ("FP32" if kind == "fp32" else "autocast to BF16")
        for form, how in (
            (REAL, "sorted by length, micro-batches of 4 padded to their longest"),
            (PADDED, "micro-batches of 4, 384 tokens each"),
        ):
            others.append(
                Contender(
                    "transformers", "transformers", TRAINING, kind, form, f"{text}; {how}", layers
                )
            )
        others.append(_tensorflow(kind, layers, TRAINING))
    return (*own, *others, _ceiling(precision, layers))


def _ceiling(precision: str, layers: int) -> Contender:
    how = "matrix products at BERT-Large's shapes by the fastest library"
    return Contender("ceiling", "ceiling", "products", precision, CEILING, how, layers)


def _texts_to_features() -> tuple[Contender, ...]:
    """The training set's questions to features. Only the vocabulary of the model is used."""
    return tuple(
        Contender(title, program, variant, "fp32", TEXTS, how, _LAYERS["training"])
        for title, program, variant, how in (
            (
                *("bertsquad", "ours_data", "all"),
                "all 87,599 questions, reading train-v1.1.json included",
            ),
            (
                *("tokenizers", "tokenizers", "pairs"),
                "question and context pairs, answers by offsets; 20,000 questions from memory",
            ),
            (
                *("Google-style Python", "plain", "python"),
                "one character after the other, as run_squad.py; 1,000 questions from memory",
            ),
        )
    )


def linearity() -> tuple[Contender, ...]:
    """The same at 2 and 4 layers: what fewer layers than 24 leave out."""
    return tuple(
        contender
        for layers in (2, 4)
        for contender in (*ours("fp32", PADDED, layers), *_engines("fp32", PADDED, layers))
        if contender.variant in ("torch", "eager", "graph")
    )


def memory() -> tuple[Contender, ...]:
    """The peak of one process with the whole model."""
    layers = _LAYERS["memory"]
    return tuple(
        contender
        for precision in ("fp32", "bf16", "int8")
        for contender in (*ours(precision, REAL, layers), *_engines(precision, REAL, layers))
        if contender.variant != "compiled"
    ) + tuple(
        contender
        for precision in ("fp32", "bf16")
        for contender in (
            Contender("bertsquad torch", "ours", TRAINING, precision, PADDED,
                 "a step of 2 sequences of 384 tokens", layers),
            Contender("bertsquad torch", "ours", SPARING, precision, PADDED,
                 "the same, activation_checkpointing", layers),
            Contender("transformers", "transformers", TRAINING, precision, PADDED,
                 "a step of 2 sequences of 384 tokens", layers),
        )
    )  # fmt: skip
