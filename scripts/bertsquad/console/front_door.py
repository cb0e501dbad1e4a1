"""The command `bertsquad VERB ...`: every script under one name, in groups."""

import argparse
import ast
import os
import sys
from pathlib import Path
from types import ModuleType

from bertsquad.console.arguments import COMPLETING
from bertsquad.console.errors import UserError, exit_with
from bertsquad.console.suggestions import did_you_mean

_LIBRARY = Path(__file__).resolve().parent.parent

# A verb is its script's name, with hyphens.
GROUPS = {
    "Your model, your questions": ("ask", "score", "compare", "evaluate", "show-results"),
    "Data and models": (
        "download",
        "fetch-model",
        "unzip",
        "convert-checkpoint",
        "select-questions",
        "generate-demo",
        "generate-random-model",
    ),
    "From questions to answers": (
        "featurize",
        "finetune",
        "quantize",
        "compute-logits",
        "compute-logits-shard",
        "join-logits",
        "predict",
        "compare-answers",
    ),
    "Measuring": (
        "probe-machine",
        "measure-ceilings",
        "benchmark-inference",
        "compare-speed",
        "take-turns",
        "show-comparisons",
        "noise",
        "check-verdicts",
        "measure-waterfall",
        "waterfall-side",
        "show-waterfall",
        "benchmark-serving",
        "distribute",
    ),
    "A run of the workflow": ("watch",),
    "This command": ("completion",),
    "Tables, figures, report": ("summarize", "summarize-speed", "plot", "report", "record-inputs"),
    "Proof for others": (
        "certify",
        "compare-runs",
        "verify-crate",
        "export-results",
        "verify-cells",
    ),
    "What to deploy": ("export-cells", "explore", "make-plan", "check-plan"),
    "The Model Zoo's launcher": ("unpack-modelzoo", "read-modelzoo-log"),
}
# These read other files of the repository than the library's, so an installed wheel lacks them.
OF_A_CHECKOUT = (
    "doctor",
    "modelzoo-command",
    "run-modelzoo",
    "build-image",
    "build-sif",
    "docker-shell",
    "benchmark-peers",
    "report-bench",
    "document-config",
    "make-crate",
)


def main() -> None:
    """Run the verb in `sys.argv`, or print the help."""
    exit_with(_main)


def _main() -> None:
    scripts, checkout = _scripts()
    groups = GROUPS | ({"Of this checkout": OF_A_CHECKOUT} if checkout else {})
    if COMPLETING in os.environ:
        _complete(scripts, groups)
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(help_page(scripts, groups))
        return
    if arguments[0] in ("--version", "-V"):
        print(f"bertsquad {_version(scripts)}")
        return
    verb = arguments[0].replace("_", "-")
    if verb in OF_A_CHECKOUT and not checkout:
        raise UserError(f"{verb} needs the repository; run it in a checkout of the project")
    known = [name for names in groups.values() for name in names]
    if verb not in known:
        raise UserError(f"no verb {verb!r}; {did_you_mean(verb, known)}")
    sys.argv = [f"bertsquad {verb}", *arguments[1:]]
    try:
        _run(_script(scripts, verb))
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "bertsquad"):
            raise
        raise UserError(
            f"the Python package {package} is not installed; install the extra that brings it "
            "(torch, openvino, onnxruntime or workflow), as in pip install '.[torch]'"
        ) from None


def _version(scripts: Path) -> str:
    """Of the checkout, else of the installed package."""
    import tomllib
    from importlib import metadata

    project = scripts.parent / "pyproject.toml"
    if not project.is_file():
        return metadata.version("bertsquad")
    return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])


def _complete(scripts: Path, groups: dict[str, tuple[str, ...]]) -> None:
    """Complete the verb; behind a verb, its own parser completes the rest. Does not return."""
    import argcomplete

    before = os.environ["COMP_LINE"].encode()[: int(os.environ["COMP_POINT"])].decode()
    words = before.split()
    known = [name for names in groups.values() for name in names]
    verb = words[1].replace("_", "-") if len(words) > 1 else ""
    if verb in known and (len(words) > 2 or before[-1].isspace()):
        os.environ[COMPLETING] = "2"  # the words begin at the verb
        sys.argv = [f"bertsquad {verb}"]
        _run(_script(scripts, verb))
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=known)
    argcomplete.autocomplete(parser)


def _run(script: Path) -> None:
    """Run a script as Python itself would. (`runpy` would put its path into `sys.argv`, which the
    verb's messages begin with; other processes of multiprocessing look for `__main__`.)"""
    module = ModuleType("__main__")
    module.__file__ = os.fspath(script)
    sys.modules["__main__"] = module
    exec(compile(script.read_bytes(), script, "exec"), module.__dict__)


def help_page(scripts: Path, groups: dict[str, tuple[str, ...]]) -> str:
    """Every verb with the first sentence of its script, a paragraph a group."""
    lines = ["usage: bertsquad VERB [options]; bertsquad VERB --help says which"]
    for group, verbs in groups.items():
        lines += ["", f"{group}:"]
        lines += [f"  {verb:<22} {_sentence(_script(scripts, verb))}" for verb in verbs]
    return "\n".join(lines)


def _scripts() -> tuple[Path, bool]:
    """The folder of the scripts, and whether it is a checkout's."""
    installed = _LIBRARY.parent / "bertsquad_commands"
    return (installed, False) if installed.is_dir() else (_LIBRARY.parent, True)


def _script(scripts: Path, verb: str) -> Path:
    return scripts / f"{verb.replace('-', '_')}.py"


def _sentence(script: Path) -> str:
    """The first line of a script's docstring; the script is read, not run."""
    return (ast.get_docstring(ast.parse(script.read_bytes())) or "").partition("\n")[0]
