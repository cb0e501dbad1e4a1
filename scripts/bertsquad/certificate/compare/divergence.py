"""Where two runs part: both are walked in the order in which they were made.

A step parts from its counterpart by its code, its options, or a file that no step made; where all
of these are the same and its inputs are, too, but its exact outputs are not, by its environment or
by chance. What only follows from another step's other outputs is listed under that one and is no
cause. (Missier et al., "Provenance and data differencing for workflow reproducibility analysis",
2016, walk two such graphs in the same way.)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bertsquad.certificate.compare import questions
from bertsquad.certificate.compare.answer import both, count, short
from bertsquad.certificate.compare.sides import Side
from bertsquad.certificate.manifest import class_of

Kind = Literal[
    "inputs", "settings", "code", "environment", "nondeterminism", "changed-since", "missing"
]
# Nothing that was done differently accounts for these.
UNEXPLAINED = ("nondeterminism", "changed-since")

Step = Mapping[str, Any]


@dataclass(slots=True)
class Divergence:
    """A cause: what differs, where it first does, and what follows from it."""

    kind: Kind
    what: str  # a file, a module, a key or option, a package
    first: Any  # A's
    second: Any  # B's
    step: str | None  # the first step that shows it; None: no step does
    detail: str = ""  # said behind it
    files: list[str] = field(default_factory=list)  # exact outputs of that step that differ
    downstream: list[str] = field(default_factory=list)  # steps that differ by it

    @property
    def sentence(self) -> str:
        at = f"{self.step}: " if self.step else ""
        pair = both(self.first, self.second)
        if self.kind == "inputs":
            return f"{at}the input {self.what} differs, sha256 {pair}"
        if self.kind == "settings":
            return f"{at}the setting {self.what} differs, {pair}{self.detail}"
        if self.kind == "code":
            return f"{at}the code differs, {self.what}, sha256 {pair}"
        if self.kind == "environment":
            if not self.step:
                return f"the environment differs, {self.what} {pair}"
            return (
                f"nondeterminism or environment: {self.step} made another {self.files[0]} from the "
                f"same inputs, code and settings; first difference in environment: {self.what} "
                f"{pair}"
            )
        if self.kind == "changed-since":
            return f"{at}{self.what} is not what its step made{self.detail}, sha256 {pair}"
        if self.kind == "missing":
            return f"{at}{self.what}"
        return f"{at}{self.what} has other bytes, same code, inputs and settings; sha256 {pair}"

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "what": self.what,
            "a": self.first,
            "b": self.second,
            "step": self.step,
            "files": self.files,
            "downstream": self.downstream,
            "sentence": self.sentence,
        }


class _Walk:
    """What was found so far. A cause is found once; later steps that show it are downstream."""

    def __init__(self, a: Side, b: Side) -> None:
        self.a, self.b = a, b
        self.found: dict[tuple[str, str], Divergence] = {}
        self.of_file: dict[str, Divergence] = {}  # by the differing file that it is to blame for
        self.inputs = questions.input_differences(a, b)
        self.settings = questions.setting_differences(a, b)
        self.environment = questions.environment_differences(a, b)
        self.named: set[str] = set()  # settings that some step's options show
        self.made = {
            name
            for side in (a, b)
            for step in side.facts["steps"] or []
            for name in step["outputs"] or {}
        }

    def add(self, made: Divergence) -> Divergence:
        """The divergence, or the one that was found of the same thing before."""
        known = self.found.setdefault((made.kind, made.what), made)
        if known is not made and made.step and made.step not in (known.step, *known.downstream):
            known.downstream.append(made.step)
        return known

    def step(self, first: Step, second: Step) -> None:
        """Compare a step with its counterpart."""
        outputs = [
            name
            for name in _common(first, second, "outputs")
            if self.differs(name, first, second) and not self.said_by_its_parts(name)
        ]
        causes = [self.add(each) for each in self._own(first, second)]
        upstream = [
            self.of_file[name]
            for name in _common(first, second, "inputs")
            if name in self.of_file and self.differs(name, first, second, "inputs")
        ]
        for cause in dict.fromkeys(map(id, upstream)):
            parent = next(each for each in upstream if id(each) == cause)
            if first["id"] not in (parent.step, *parent.downstream):
                parent.downstream.append(first["id"])
        blamed = [*causes, *upstream]
        if outputs and not blamed:
            blamed = [self.add(each) for each in self._unexplained(first, second, outputs)]
        for name in outputs:
            own = next((each for each in blamed if each.what == name), None)
            blame = own or blamed[0]
            self.of_file[name] = blame
            if blame.step == first["id"] and name not in blame.files:
                blame.files.append(name)

    def differs(self, name: str, first: Step, second: Step, kind: str = "outputs") -> bool:
        """Whether the exact part of a file differs; of outputs as they are now."""
        exact = class_of(name) == "exact"
        if (kind == "outputs" or not exact) and name in self.a.exact and name in self.b.exact:
            return self.a.exact[name] != self.b.exact[name]
        return exact and bool(first[kind][name] != second[kind][name])

    def said_by_its_parts(self, name: str) -> bool:
        """Whether a file differs by what it lists: settings and inputs are compared one by one."""
        return (name == "config.json" and bool(self.settings)) or (
            name == "inputs.json" and bool(self.inputs)
        )

    def _own(self, first: Step, second: Step) -> Iterator[Divergence]:
        """How the step itself differs: code, options, files that no step made."""
        id_ = first["id"]
        hashes = first["code_sha256"], second["code_sha256"]
        if all(hashes) and hashes[0] != hashes[1]:
            modules = questions.module_differences(self.a, self.b, first, second)
            for module, pair in modules.items():
                ours, theirs = (short(each) if each else questions.ABSENT for each in pair)
                yield Divergence("code", module, ours, theirs, id_)
        hashes = first["params_sha256"], second["params_sha256"]
        if all(hashes) and hashes[0] != hashes[1]:
            yield from self._options(first, second)
        for name in _common(first, second, "inputs"):
            if name not in self.made and first["inputs"][name] != second["inputs"][name]:
                pair = first["inputs"][name], second["inputs"][name]
                yield self._input(questions.input_name(name), id_, pair)

    def _input(self, name: str, id_: str | None, pair: questions.Pair = (None, None)) -> Divergence:
        pair = self.inputs.get(name, pair)
        return Divergence("inputs", name, short(pair[0]), short(pair[1]), id_)

    def _options(self, first: Step, second: Step) -> Iterator[Divergence]:
        """Options that differ, by the key of the configuration that they come from, if any."""
        ours, theirs = _options(first["params"]), _options(second["params"])
        # A step's own record and Snakemake's note of it hold other parameters.
        alike = first["record"] == second["record"]
        named = not alike
        for option in dict.fromkeys((*ours, *theirs)):
            if not alike and not (option in ours and option in theirs):
                continue
            pair = ours.get(option, questions.ABSENT), theirs.get(option, questions.ABSENT)
            if pair[0] == pair[1]:
                continue
            named = True
            key = self._key(option, first["id"])
            if key:
                self.named.add(key)
                pair = self.settings[key]
            detail = f" (option {option})" if key else ""
            yield Divergence("settings", key or option, *pair, first["id"], detail)
        if not named:
            pair = short(first["params_sha256"]), short(second["params_sha256"])
            yield Divergence("settings", "options", *pair, first["id"])

    def _key(self, option: str, id_: str) -> str | None:
        """The differing key of the configuration that an option is made of: of the step's own run
        rather than of another one."""
        word = option.lstrip("-").replace("-", "_")
        keys = [key for key in self.settings if key.rpartition(".")[2] == word]
        mine = [k for k in keys if any(part in id_.split("/") for part in k.split("."))]
        return next(iter(mine or [k for k in keys if not k.startswith("runs.")]), None)

    def _unexplained(self, first: Step, second: Step, outputs: list[str]) -> Iterator[Divergence]:
        """Other bytes from the same code, options and inputs."""
        id_ = first["id"]
        changed = [name for name in outputs if self._changed(name)]
        for name in changed:
            whose = " and ".join(self._changed(name))
            yield self._bytes("changed-since", name, id_, f" (in {whose})")
        others = [name for name in outputs if name not in changed]
        inputs = [name for name in others if questions.input_name(name) in self.inputs]
        for name in inputs:
            yield self._input(questions.input_name(name), id_)
        others = [name for name in others if name not in inputs]
        environment = self._environment(first, second)
        if others and environment:
            what, pair = next(iter(environment.items()))
            yield Divergence("environment", what, *pair, id_, files=others)
        else:
            for name in others:
                yield self._bytes("nondeterminism", name, id_)

    def _environment(self, first: Step, second: Step) -> dict[str, questions.Pair]:
        """How the two differ in what ran a step: of several machines, in those that ran it."""
        ours, theirs = (
            (side.facts["machines"] or {}).get(step["machine"])
            for side, step in ((self.a, first), (self.b, second))
        )
        if not ours or not theirs:
            return self.environment
        return questions.environment_differences(self.a, self.b, ([ours], [theirs]))

    def _bytes(self, kind: Kind, name: str, id_: str | None, detail: str = "") -> Divergence:
        pair = short(self.a.exact.get(name)), short(self.b.exact.get(name))
        return Divergence(kind, name, *pair, id_, detail, [name])

    def _changed(self, name: str) -> list[str]:
        """The sides whose file is not what its step made."""
        return [
            side.label
            for side in (self.a, self.b)
            if name in side.changed
            or any(
                doubt["kind"] == "changed-since" and doubt["where"] == name
                for doubt in side.facts["doubts"] or []
            )
        ]

    def loose(self) -> None:
        """What no step showed: other settings, inputs, files of no step, steps of one run only,
        and, where nothing else differs, the environment."""
        for name in self.inputs:
            if ("inputs", name) not in self.found:
                self._put_first(self._input(name, None))
        for key, pair in self.settings.items():
            if key not in self.named:
                self.add(Divergence("settings", key, *pair, None))
        only = _only(self.a, self.b)
        if only:
            self._only(only)
        explained = bool(self.found) and bool(self.a.facts["steps"])
        for name in sorted(set(self.a.exact) & set(self.b.exact)):
            if self.a.exact[name] == self.b.exact[name] or name in self.of_file:
                continue
            if self.said_by_its_parts(name):
                continue
            changed = " and ".join(self._changed(name))
            kind: Kind = "changed-since" if changed else "nondeterminism"
            if changed or not explained:
                self.add(self._bytes(kind, name, None, f" (in {changed})" if changed else ""))
        if not self.found and self.environment:
            what, pair = next(iter(self.environment.items()))
            self.add(Divergence("environment", what, *pair, None))

    def _only(self, only: dict[str, str]) -> None:
        """Steps of one run only: they follow from other settings, where these differ."""
        cause = next((each for each in self.found.values() if each.kind == "settings"), None)
        if cause:
            cause.downstream += [id_ for id_ in only if id_ not in cause.downstream]
            return
        first, label = next(iter(only.items()))
        more = f" and {count(len(only) - 1, 'more step')}" if len(only) > 1 else ""
        what = f"{first}{more} in {label} only"
        self.add(Divergence("missing", what, None, None, None, downstream=list(only)))

    def _put_first(self, made: Divergence) -> None:
        self.found = {(made.kind, made.what): made, **self.found}


def divergences(a: Side, b: Side) -> list[Divergence]:
    """Every independent cause, the first one first; none where the two runs are the same."""
    walk = _Walk(a, b)
    for first, second in questions.common_steps(a, b):
        walk.step(first, second)
    walk.loose()
    return list(walk.found.values())


def _common(first: Step, second: Step, kind: str) -> list[str]:
    ours, theirs = first[kind] or {}, second[kind] or {}
    return [name for name in ours if name in theirs]


def _only(a: Side, b: Side) -> dict[str, str]:
    """Steps that one run alone has, and which."""
    ids = [[step["id"] for step in side.facts["steps"] or []] for side in (a, b)]
    if not all(ids):
        return {}
    found = {id_: "A" for id_ in ids[0] if id_ not in set(ids[1])}
    return found | {id_: "B" for id_ in ids[1] if id_ not in set(ids[0])}


def _options(params: Mapping[str, str] | list[str] | None) -> dict[str, str]:
    """Options by name, `--seed` to 0. A parameter of a rule that holds no options is one itself."""
    if not isinstance(params, Mapping):
        return dict(_of_words(params or []))
    found: dict[str, str] = {}
    for name, text in params.items():
        words = str(text).split()
        found |= dict(_of_words(words)) if words[:1] and words[0].startswith("--") else {name: text}
    return found


def _of_words(words: list[str]) -> Iterator[tuple[str, str]]:
    """Options of a command line: `--seed=0`, or `--seed 0`, or several words behind a name."""
    last, texts = "", list[str]()
    for word in [*words, "--"]:
        if not word.startswith("--"):
            texts.append(word)
            continue
        if last or texts:
            yield last or " ".join(texts), " ".join(texts)
        last, _, text = word.partition("=")
        texts = [text] if text else []
