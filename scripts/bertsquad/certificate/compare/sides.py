"""What is compared: a results folder, a certificate, or a crate, packed or unpacked."""

import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bertsquad.certificate.compare.reading import Facts, lenient
from bertsquad.certificate.manifest import class_of, exact_sha256
from bertsquad.console.errors import UserError
from bertsquad.own_json import read_own_json

CERTIFICATE = "certificate.json"
_CONFIG = "config.json"  # what every results folder has
_BAG = "bagit.txt"  # what every crate has
_IN_A_CRATE = "data"
_RESOURCES = "resources/"  # may lie elsewhere


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs."""

    label: str  # A or B
    shown: str  # as the user named it
    facts: Facts  # its certificate
    root: Path | None  # the results folder; None: only the certificate is at hand
    exact: Mapping[str, str]  # SHA-256 of the exact part of each file that has one, as it is now
    changed: frozenset[str] = frozenset()  # exact files that are not as the certificate says
    made_now: bool = False  # the certificate was gathered for this comparison
    gone: frozenset[str] = frozenset()  # results that it names and that the folder lacks

    def path(self, name: str) -> Path | None:
        """The file of this name, where it is at hand."""
        if self.root is None:
            return None
        path = self.root / name
        return path if path.is_file() else None


@contextmanager
def opened(label: str, path: Path) -> Iterator[Side]:
    """A side, whose files are there as long as the block lasts.

    `UserError` in one line for what is neither a results folder nor a certificate nor a crate.
    """
    if not path.exists():
        raise UserError(
            f"{label}: {path}: no such file or folder; expected a results folder, a "
            "certificate.json or a crate"
        )
    if path.is_dir():
        yield _of_folder(label, path)
    elif zipfile.is_zipfile(path) or path.suffix == ".zip":
        with _unpacked(path) as folder:
            yield _of_crate(label, path, folder)
    else:
        facts = lenient(read_own_json(path), str(path))
        yield Side(label, str(path), facts, None, _exact_of(facts))


def check_two(first: Path, second: Path) -> None:
    """`UserError` where both are one file or folder."""
    if first.exists() and second.exists() and first.samefile(second):
        raise UserError(
            f"{first} and {second} are the same; name two runs, as in A=results B=../other/results"
        )


def check_common(a: Side, b: Side) -> None:
    """`UserError` where the two runs have neither a step nor a file in common."""
    steps = _steps(a) & _steps(b)
    files = set(a.exact) & set(b.exact)
    if not steps and not files:
        raise UserError(
            f"{a.shown} and {b.shown} have nothing in common: no step and no file of one is in "
            "the other; compare two runs of one configuration"
        )


def _steps(side: Side) -> set[str]:
    return {step["id"] for step in side.facts["steps"] or []}


def _of_folder(label: str, folder: Path) -> Side:
    if (folder / _BAG).is_file():
        return _of_crate(label, folder, folder)
    own = folder / CERTIFICATE
    if not own.is_file() and (folder.parent.parent / _BAG).is_file():
        own = folder.parent / CERTIFICATE  # data/results/ of an unpacked crate
    if own.is_file():
        whole = own.parent == folder
        return _with_certificate(label, str(folder), own, folder, whole=whole)
    if not (folder / _CONFIG).is_file():
        inside = folder / "results"
        better = f"; name {inside}" if (inside / _CONFIG).is_file() else ""
        raise UserError(
            f"{label}: {folder}: not a results folder, it has neither {CERTIFICATE} nor "
            f"{_CONFIG}{better or '; name the folder that a run wrote its results to'}"
        )
    facts = _gathered(folder)
    return Side(label, str(folder), facts, folder, _exact_of(facts), made_now=True)


def _gathered(folder: Path) -> Facts:
    """The certificate of a folder that has none, as certify.py would write it.

    Snakemake's notes lie beside the folder and name files from there.
    """
    from bertsquad.certificate.gather import Run, certify
    from bertsquad.certificate.hashing import Hashes
    from bertsquad.certificate.record import Places
    from bertsquad.experiment.origin import origin

    folder = folder.resolve()
    with chdir(folder.parent):
        run = Run(
            places=Places(folder.name, f"{folder.name}/resources", "scripts"),
            logs=Path(folder.name, "logs"),
            metadata=Path(".snakemake/metadata"),
            constraints=Path("envs/constraints.txt"),
        )
        facts: Facts = certify(run, [], origin=origin(Path()), command=None, hashes=Hashes())
    return facts


def _of_crate(label: str, path: Path, folder: Path) -> Side:
    payload = folder / _IN_A_CRATE
    if not (payload / CERTIFICATE).is_file():
        raise UserError(f"{label}: {path}: no {_IN_A_CRATE}/{CERTIFICATE} in it; not a crate")
    return _with_certificate(label, str(path), payload / CERTIFICATE, payload / "results")


@contextmanager
def _unpacked(archive: Path) -> Iterator[Path]:
    """A crate's files in a folder of their own, each as its manifest says."""
    from bertsquad.certificate.bag import check_bag
    from bertsquad.certificate.holding import opened_zip, unpack

    with tempfile.TemporaryDirectory(prefix="bertsquad-compare-") as place:
        folder = Path(place) / "crate"
        with opened_zip(archive) as held:
            check_bag(held)
            unpack(held, folder)
        yield folder


def _with_certificate(
    label: str, shown: str, certificate: Path, root: Path, *, whole: bool = False
) -> Side:
    """A side whose files are looked at again: one may have changed since it was certified, or, of a
    `whole` folder, have gone."""
    facts = lenient(read_own_json(certificate), str(certificate))
    told = _exact_of(facts)
    now = dict(told)
    for name in told:
        if (root / name).is_file():
            now[name] = exact_sha256(name, root / name) or told[name]
    changed = frozenset(name for name in told if now[name] != told[name])
    gone = {name for name in told if not name.startswith(_RESOURCES) and not (root / name).exists()}
    return Side(label, shown, facts, root, now, changed, gone=frozenset(gone if whole else ()))


def _exact_of(facts: Facts) -> dict[str, str]:
    """Of each file that has an exact part, the SHA-256 of that, by the certificate."""
    found = {}
    for name, file in (facts["files"] or {}).items():
        if name == CERTIFICATE:
            continue
        part = file.get("exact_sha256")
        if part is None and (file["class"] or class_of(name)) == "exact":
            part = file["sha256"]
        if part:
            found[name] = part
    return found
