"""What a person finds in a crate first: README.md, a Makefile for three commands, bag-info.txt."""

from bertsquad.certificate.attestation import PREDICATE
from bertsquad.certificate.bag import MAKEFILE
from bertsquad.certificate.chain import short
from bertsquad.certificate.crate.entities import Sources
from bertsquad.certificate.crate.payload import LeftOut
from bertsquad.certificate.schema import DOUBTS, Certificate
from bertsquad.console.quantities import readable_bytes

_MOST_NAMED = 20

# $(CONFIG) is looked for here, then in data/. Nothing is made in data/, so that the crate stays as
# it was sent; a file of the crate's own is never a link, hence cp.
MAKEFILE_TEXT = """\
# A certified run of bertsquad. See data/README.md.
CONFIG ?= config.yaml
# An environment that is here already is taken as it is: ln -s ~/bertsquad/.venv .venv
OWN = $(if $(wildcard .venv),-o .venv/.run)
FOUND = $(firstword $(wildcard $(CONFIG) data/$(CONFIG)) $(CONFIG))
.PHONY: verify run compare
.DEFAULT_GOAL := verify

verify: ## are all files as they were sent, and do they fit together?
\tsha256sum --check --quiet manifest-sha256.txt
\tpython3 -B data/code/scripts/verify_crate.py .

run: again ## the same run once more, in again/
\t@$(MAKE) -C again $(OWN) run CONFIG=$(abspath $(FOUND))

compare: again ## what was sent beside what was made here
\t@$(MAKE) -C again $(OWN) compare A=$(abspath data/results) B=results

again:
\trm -rf again.part
\tcp -pR data/code again.part
\tif test -f data/artifacts.lock.json; then cp data/artifacts.lock.json again.part/config/; fi
\tif test -e .venv; then ln -s "$(abspath .venv)" again.part/.venv; fi
\tmv again.part again
"""


def readme(
    certificate: Certificate, left_out: list[LeftOut], name: str, quotes: Sources, has_diff: bool
) -> str:
    """data/README.md of a crate whose archive is `name`."""
    project = certificate["project"]
    code = f"commit {project['commit']}" if project["commit"] else "a folder without a commit"
    changed = f", changed in {', '.join(project['dirty'])}" if project["dirty"] else ""
    diff = " (`code.diff` is the difference)" if has_diff else ""
    lines = [
        f"# A run of bertsquad, {short(certificate['chain_sha256'])}",
        "",
        "BERT fine-tuned, scored and timed on questions of SQuAD's kind: the results, the code and "
        "configuration that made them, and what every step read and wrote.",
        "",
        "| to | one command |",
        "|---|---|",
        f"| verify that no file was changed | `unzip -q {name} -d crate && cd crate && "
        "sha256sum --quiet -c manifest-sha256.txt` |",
        "| verify that all fits together, scores recomputed | "
        f"`python scripts/verify_crate.py {name} --scores` in a checkout of bertsquad |",
        "| read | open `data/results/report.html` |",
        "| run again, without changing what is here | "
        f"`python scripts/verify_crate.py {name} --unpack crate && make -C crate run` |",
        "| compare both runs | `make -C crate compare` |",
        "",
        f"The last two are in the `{MAKEFILE}` beside `data/`; they need Python 3.11 and make, and "
        "work in `crate/again/`. A `.venv` beside it is used as it is, else one "
        "is installed. What the run downloaded is downloaded again and checked by its "
        "SHA-256.",
        "",
        "## What is here",
        "",
        f"- `code/`: {code}{changed}{diff}, version {project['version'] or 'unknown'}",
        "- `config.yaml`: every key of the configuration, `constraints.txt`: every package",
        "- `results/`: all that was made, but for `resources/` and large files; `datasets/`: the "
        "questions that answers were scored on",
        "- `certificate.json`: what each step used and made, machines, scores, speeds, doubts",
        "- `ro-crate-metadata.json`: the same as a Provenance Run Crate 0.5 (RO-Crate 1.1)",
        f"- `attestation.json`: an in-toto Statement v1, unsigned ({PREDICATE}); "
        "`cosign attest-blob --statement` or `gpg --detach-sign` signs it",
        "",
    ]
    lines += _scores(certificate)
    lines += _doubts(certificate)
    lines += _absent(left_out)
    lines += ["## Licences", "", f"The code is under Apache-2.0. {quotes.credit}".strip(), ""]
    return "\n".join(lines)


def _scores(certificate: Certificate) -> list[str]:
    if not certificate["scores"]:
        return []
    rows = [
        f"| {name} | {score['exact_match']:.2f} | {score['f1']:.2f} | {score['questions']} |"
        for name, score in sorted(certificate["scores"].items())
    ]
    head = [
        "| run, engine and precision | exact match, % | F1, % | questions |",
        "|---|---|---|---|",
    ]
    return ["## Scores", "", *head, *rows, ""]


def _doubts(certificate: Certificate) -> list[str]:
    """What a reader should know before believing, each kind once."""
    doubts = certificate["doubts"]
    if not doubts:
        return ["## Doubts", "", "None: see `doubts` in certificate.json.", ""]
    kinds = {doubt["kind"]: 0 for doubt in doubts}
    for doubt in doubts:
        kinds[doubt["kind"]] += 1
    lines = [f"- {DOUBTS[kind]} ({count})" for kind, count in kinds.items()]
    return ["## Doubts", "", *lines, "", "Each is in certificate.json, with its place.", ""]


def _absent(left_out: list[LeftOut]) -> list[str]:
    if not left_out:
        return []
    lines = [
        f"- `{each.name}`"
        + (f", {readable_bytes(each.bytes)}" if each.bytes is not None else "")
        + f", sha256 {each.sha256}"
        + (f", from <{each.url}>" if each.url else f": {each.reason}")
        for each in left_out[:_MOST_NAMED]
    ]
    more = len(left_out) - _MOST_NAMED
    lines += [f"- and {more} more, in ro-crate-metadata.json"] if more > 0 else []
    return ["## Named and not here", "", *lines, ""]


def bag_facts(certificate: Certificate, date: str, payload_oxum: str) -> list[tuple[str, str]]:
    """bag-info.txt's lines."""
    return [
        ("Bag-Software-Agent", f"bertsquad {certificate['project']['version']}".strip()),
        ("Bagging-Date", date),
        ("External-Description", "A run of the workflow bertsquad as a Provenance Run Crate"),
        ("External-Identifier", certificate["chain_sha256"]),
        ("Payload-Oxum", payload_oxum),
    ]
