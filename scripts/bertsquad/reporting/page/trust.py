"""Whether what the report opens with may be believed: a judgement and its reason, one a matter."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from markupsafe import Markup, escape

from bertsquad.certificate.chain import short
from bertsquad.certificate.schema import Certificate
from bertsquad.certificate.sentence import doubts_in_short
from bertsquad.experiment.origin import Origin
from bertsquad.reporting.formats import score, whole
from bertsquad.reporting.page.findings import Findings
from bertsquad.reporting.page.sentences import disturbances, phrase
from bertsquad.reporting.summary.standing import NOT_VALID, grouped, percent
from bertsquad.reporting.summary.summary import Summary, records

Level = Literal["yes", "care", "no"]
_SEED = re.compile(r".+-seed\d+")


@dataclass(frozen=True, slots=True)
class Judgement:
    """One matter: believed, to be read with care, or not to be believed, and why."""

    matter: str
    level: Level
    reason: Markup


def judgements(
    found: Findings,
    summary: Summary,
    config: Mapping[str, Any],
    warnings: Sequence[str],
    origin: Origin,
) -> list[Judgement]:
    """What a reader must weigh, in the order of the page; nothing on what was not measured."""
    return [
        *_of_scores(found, demo=bool(config.get("demo"))),
        *_of_precisions(found),
        *_of_training(found),
        *_of_times(found, summary),
        *_of_repeats(summary),
        *_of_machine([] if summary.machines else found.cpus, found, warnings),
        *_of_code(found, origin),
    ]


def of_certificate(certificate: Certificate) -> Judgement:
    """Whether all of it is proved to others, or what its certificate doubts."""
    said = doubts_in_short(certificate).removeprefix("doubts: ")
    text = Markup('<a href="#certificate">Chain {}</a>: {}.')
    level: Level = "care" if certificate["doubts"] else "yes"
    return Judgement("Certificate", level, text.format(short(certificate["chain_sha256"]), said))


def _of_scores(found: Findings, *, demo: bool) -> Iterator[Judgement]:
    """How far the best score holds, and who checked it."""
    if demo and found.accuracy:
        text = Markup("A program wrote passages and questions: on real ones nothing follows.")
        yield Judgement("Scores", "no", text)
        return
    best = found.best
    if best is None:
        return
    text = Markup("")
    if best["f1_low"] is not None and best["f1_high"] is not None:
        text += Markup("F1 of {}&nbsp;% would be {:.1f} to {:.1f} on other questions. ").format(
            score(best["f1"] or 0), best["f1_low"], best["f1_high"]
        )
    said = {row["official_script"] for row in found.accuracy}
    if said == {"agrees"}:
        yield Judgement("Scores", "yes", text + "The official script gives the same scores.")
    else:
        text += "The official script has not checked all of them; it was not downloaded."
        yield Judgement("Scores", "care", text)


def _of_precisions(found: Findings) -> Iterator[Judgement]:
    """Who keeps FP32's F1."""
    judged = [row for row in found.accuracy if row["passed"] is not None]
    if not judged:
        return
    limit = percent(max(row["minimum_f1_share"] or 0 for row in judged), digits=None)
    doubtful = [row for row in judged if row["gate"] == "cannot tell"]
    if found.failed:
        names = phrase([" ".join(model) for model in grouped(found.failed)])
        they = "they count" if len(grouped(found.failed)) > 1 else "it counts"
        text = Markup("Below {} of FP32’s F1, so {} for nothing: {}.")
        yield Judgement("Precisions", "care", text.format(limit, they, names))
    elif doubtful:
        names = phrase([" ".join(model) for model in grouped(doubtful)])
        keep = "keep" if len(grouped(doubtful)) > 1 else "keeps"
        text = Markup("The questions are too few to tell whether {} {} {} of FP32’s F1.")
        yield Judgement("Precisions", "care", text.format(names, keep, limit))
    else:
        text = Markup("All {} comparisons keep at least {} of FP32’s F1.")
        yield Judgement("Precisions", "yes", text.format(whole(len(judged)), limit))


def _of_training(found: Findings) -> Iterator[Judgement]:
    """Whether runs that differ in their seed alone show how much chance moves the score."""
    trained = [row["run"] for row in found.runs if row["train_steps"]]
    if not trained:
        return
    seeds = [run for run in trained if _SEED.fullmatch(run)]
    if len(seeds) > 1:
        text = Markup("{} runs differ in their seed alone; their spread is what chance does.")
        yield Judgement("Fine-tuning", "yes", text.format(whole(len(seeds))))
    else:
        text = Markup(
            "One seed a run. Another seed gives another F1, and the intervals do not hold that."
        )
        yield Judgement("Fine-tuning", "care", text)


def _of_times(found: Findings, summary: Summary) -> Iterator[Judgement]:
    """How many cells nothing disturbed."""
    if not found.cells:
        return
    rows = records(summary.cells)
    unknown = sum(not row["validity"] for row in rows)
    bad = sum(row["validity"] in NOT_VALID for row in rows)
    if bad:
        level: Level = "care" if bad < len(rows) else "no"
        said = disturbances(found)
        text = _with_code(said) if said else Markup("None of the times is a result.")
        yield Judgement("Times", level, text)
    elif unknown:
        text = Markup("{} of {} cells do not say what disturbed them.")
        yield Judgement("Times", "care", text.format(whole(unknown), whole(len(rows))))
    else:
        text = Markup("Nothing disturbed any of the {} cells.").format(whole(len(rows)))
        yield Judgement("Times", "yes", text)


def _with_code(text: str) -> Markup:
    """A sentence whose commands, in backticks, are set as such."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text)))) + "."


def _of_repeats(summary: Summary) -> Iterator[Judgement]:
    """Whether a cell was measured more than once."""
    if summary.repeats == 1:
        text = Markup(
            "Each cell was measured once; how far a second measurement would differ is not known."
        )
        yield Judgement("Repeats", "care", text)
    elif summary.repeats > 1:
        text = Markup("Up to {} measurements a cell; the middle one counts.")
        yield Judgement("Repeats", "yes", text.format(whole(summary.repeats)))


def _of_machine(
    cpus: Sequence[str], found: Findings, warnings: Sequence[str]
) -> Iterator[Judgement]:
    """What the machine's own checks found. `cpus` that nobody told apart as kinds of machines."""
    if not found.cells:
        return
    several = _different_processors(cpus)
    if warnings:
        count = f"{whole(len(warnings))} warning{'s' if len(warnings) > 1 else ''}"
        text = Markup('<a href="#machine">{} about this machine</a>: read the times with care.')
        yield Judgement("Machine", "care", text.format(count) + several)
    elif several:
        yield Judgement("Machine", "care", several)
    else:
        yield Judgement("Machine", "yes", Markup("Its checks found nothing that spoils a time."))


def _different_processors(cpus: Sequence[str]) -> Markup:
    if len(cpus) < 2:
        return Markup("")
    return Markup(" The cells were measured on different processors.")


def _of_code(found: Findings, origin: Origin) -> Iterator[Judgement]:
    """Whether a commit holds the code that made all this."""
    if not found.accuracy and not found.cells:
        return
    if origin.unknown:
        text = Markup("Which commit made this is not known: {}.").format(origin.unknown)
        yield Judgement("Code", "care", text)
    elif origin.changed:
        count = len(origin.changed)
        files = f"{whole(count)} files are" if count > 1 else "1 file is"
        text = Markup('<a href="#again">No commit holds it</a>: of commit {} {} changed.')
        yield Judgement("Code", "care", text.format(origin.commit[:12], files))
    else:
        text = Markup('<a href="#again">Commit {}</a>, nothing changed.').format(origin.commit[:12])
        yield Judgement("Code", "yes", text)
