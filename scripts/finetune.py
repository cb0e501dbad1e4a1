"""Fine-tune a checkpoint on a dataset's training features, by Google's recipe for SQuAD.

Example:
    python scripts/finetune.py --checkpoint results/resources/checkpoints/minilm \\
        --features results/resources/features/train.safetensors \\
        --output results/minilm/model --log results/minilm/training_log.jsonl \\
        --state results/minilm/training_state \\
        --precision bf16 --epochs 2 --batch-size 32 --learning-rate 2.0e-4 --threads 2

Killed at any moment and started again with the same options, it goes on from the last saved state
and ends with the same weights, bit for bit. The state folder is removed when all is written.
Asked to stop by SIGTERM or SIGUSR1, it saves its state at once, writes nothing else and leaves with
status 128 and the signal's number. Started a second time while it runs, on any host, the second one
waits, and takes over what the first has made where that is what it would make.

Several processes (--processes, --hosts) share each step and train as one does: docs/distributed.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from bertsquad.console.arguments import command_parser, positive
from bertsquad.console.errors import UserError, exit_with
from bertsquad.console.progress import say
from bertsquad.distributed import worker
from bertsquad.machine import torch_environment
from bertsquad.machine.claim import Claim
from bertsquad.machine.threads import take_cores
from bertsquad.training.hyperparameters import (
    Hyperparameter,
    Hyperparameters,
    hyperparameters,
)

if TYPE_CHECKING:
    from bertsquad.data.features import Features
    from bertsquad.model.bert import BertForQuestionAnswering
    from bertsquad.training.state import TrainingState
    from bertsquad.training.team import Team

# Of a model folder, as model_folder.save writes it.
MODEL_FILES = ("model.safetensors", "config.json", "vocab.txt", "tokenizer_config.json")

# Options that decide how processes share the work, never the weights.
DISTRIBUTION = (
    *("processes", "threads", "communication_cores"),
    *("hosts", "remote_shell", "port", "interface"),
)


def finetune(args: argparse.Namespace, recipe: Hyperparameters, team: Team) -> None:
    """Train, unless another process does the same: then wait for it."""
    with claim_of(args) as claim:
        if not team.leaders(lambda: claim.take(say, partial(facts, args, recipe))):
            train_and_write(args, recipe, team, claim)


def train_and_write(
    args: argparse.Namespace, recipe: Hyperparameters, team: Team, claim: Claim
) -> None:
    """Load, train, write log and model folder, and only then drop the state.

    Of several processes, the leader of the team reads the state and writes all files.
    """
    import torch

    from bertsquad.console.training_progress import TrainingProgress
    from bertsquad.files import write_text
    from bertsquad.model import folder as model_folder
    from bertsquad.training.loop import plan_steps, train
    from bertsquad.training.stopping import Stopped

    torch.set_num_threads(args.threads)
    model, features, state = team.together(lambda: prepare(args, recipe))
    team.require_same(state.facts)
    total_steps = plan_steps(features, recipe).total_steps
    talk = say if team.leader else silent
    talk(f"{len(features)} features, {total_steps} steps of {recipe.batch_size}")
    try:
        with TrainingProgress(total_steps) as progress:
            log = train(
                model,
                features,
                recipe,
                state=state,
                team=team,
                checkpoint_seconds=args.checkpoint_seconds,
                checkpoint_steps=args.checkpoint_steps,
                announce=talk,
                on_step=progress if team.leader else silent,
            )
    except Stopped as stopped:
        done = f"{stopped.steps} of {total_steps} steps are done and saved"
        say(f"stopped by {stopped.name}: {done}; the same command goes on from there")
        sys.exit(stopped.status)
    if team.leader:
        write_text(args.log, "".join(json.dumps(line) + "\n" for line in log))
        model_folder.save(model, args.output, checkpoint_dir=args.checkpoint)
        claim.finish(state.facts)
        state.remove()


def claim_of(args: argparse.Namespace, *, team: bool = False) -> Claim:
    """The right to train what this state folder belongs to."""
    model = (args.output / name for name in MODEL_FILES)
    return Claim(args.state, [*model, args.log], team=team)


def keep(args: argparse.Namespace, recipe: Hyperparameters) -> None:
    """Without training questions: the checkpoint's model as it is, and a log without a step."""
    from bertsquad.files import write_text
    from bertsquad.model import folder as model_folder

    model = model_folder.load(
        args.checkpoint, head=recipe.head_init, seed=recipe.seed, dropout=recipe.dropout
    )
    write_text(args.log, "")
    model_folder.save(model, args.output, checkpoint_dir=args.checkpoint)


def prepare(
    args: argparse.Namespace, recipe: Hyperparameters
) -> tuple[BertForQuestionAnswering, Features, TrainingState]:
    """The model before training, what it is trained on, and where its state is kept.

    UserError where they do not fit each other.
    """
    from bertsquad.data.features import Features
    from bertsquad.model import folder as model_folder
    from bertsquad.model.fit import check_fit
    from bertsquad.training.loop import plan_steps
    from bertsquad.training.state import TrainingState

    features = Features.open(args.features)
    if not features.training:
        raise UserError(
            f"{args.features}: has no answers; make it from the training set with "
            "featurize.py --training"
        )
    check_fit(args.checkpoint, features, args.features)
    plan_steps(features, recipe)
    model = model_folder.load(
        args.checkpoint,
        head=recipe.head_init,
        seed=recipe.seed,
        dropout=recipe.dropout,
    )
    model.activation_checkpointing = args.activation_checkpointing
    return model, features, TrainingState(args.state, facts(args, recipe))


def facts(args: argparse.Namespace, recipe: Hyperparameters) -> dict[str, Any]:
    """Everything that decides the weights. Threads and kernels only decide how they are
    rounded."""
    import torch

    from bertsquad.experiment.sources import NEVER_DECIDES_RESULTS, local_sources
    from bertsquad.files import sha256

    script = Path(__file__).resolve()
    return {
        "features": sha256(args.features),
        "checkpoint": {
            name: sha256(args.checkpoint / name) for name in ("config.json", "model.safetensors")
        },
        "hyperparameters": asdict(recipe),
        "sources": {
            str(path.relative_to(script.parent)): sha256(path)
            for path in local_sources(script, without=NEVER_DECIDES_RESULTS)
        },
        "torch": torch.__version__,
    }


def silent(message: object) -> None:
    pass


def distribute(args: argparse.Namespace) -> NoReturn:
    """Become scripts/distribute.py, which starts this command again as several processes.

    Not imported, so not tracked: editing how processes are started trains nothing anew.
    """
    given = [f"--{name.replace('_', '-')}" for name in DISTRIBUTION]
    values = [getattr(args, name) for name in DISTRIBUTION]
    options = [f"{name}={value}" for name, value in zip(given, values, strict=True) if value]
    script = str(Path(__file__).with_name("distribute.py"))
    os.execv(sys.executable, [sys.executable, script, *options, "--", *sys.argv])


def join(args: argparse.Namespace) -> Team:
    """The processes that train together. Before PyTorch is imported, this one settles on cores of
    its own and takes as many threads."""
    if not worker.is_worker():
        args.threads = take_cores(args.threads)
        from bertsquad.training.team import ALONE

        return ALONE
    this = worker.read_worker()
    for notice in this.settle():
        if this.local_rank == 0:
            say(notice)
    from bertsquad.distributed.gloo import GlooTeam

    team = GlooTeam.join(this)
    args.threads = team.same_threads(this.threads or args.threads)
    return team


def not_negative(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not 0 or more")
    return number


def yes_or_no(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text} is neither true nor false")
    return text.lower() == "true"


def add_hyperparameters(parser: argparse.ArgumentParser) -> None:
    """An option for each field of Hyperparameters."""
    group = parser.add_argument_group("hyperparameters", "what decides the weights")
    for each in hyperparameters():
        default = each.about.when_none if each.default is None else each.default
        values = "" if each.choices else f"{each.values}; "
        group.add_argument(
            f"--{each.name.replace('_', '-')}",
            type=partial(hyperparameter, each),
            default=each.default,
            metavar="{" + ",".join(each.choices) + "}" if each.choices else "NUMBER",
            help=f"{each.about.help} ({values}default: {default})".replace("%", "%%"),
        )


def hyperparameter(each: Hyperparameter, text: str) -> float | str:
    try:
        return each.read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--checkpoint", required=True, type=Path, metavar="DIR", help="model folder to start from")
    add(
        "--features",
        type=Path,
        metavar="FILE",
        help="of the training set; with --epochs 0 they may be left out",
    )
    add("--output", required=True, type=Path, metavar="DIR", help="model folder to write")
    add("--log", required=True, type=Path, metavar="FILE", help="training_log.jsonl to write")
    add(
        "--state", required=True, type=Path, metavar="DIR", help="where to keep what resuming needs"
    )
    add(
        "--activation-checkpointing",
        type=yes_or_no,
        default=False,
        metavar="{true,false}",
        help="compute activations twice instead of keeping them: less memory, the same weights",
    )
    add(
        "--threads",
        required=True,
        type=positive,
        help="at most so many, and no more than one socket has cores for this process",
    )
    add("--checkpoint-seconds", type=not_negative, default=60.0, help="between saved states (60)")
    add("--checkpoint-steps", type=positive, help="save the state every N steps instead")
    add_hyperparameters(parser)
    several = parser.add_argument_group(
        "several processes", "passed on to distribute.py; see there what they mean"
    )
    several.add_argument("--processes", default="1", metavar="N", help="on each host, or auto (1)")
    several.add_argument("--hosts", metavar="A,B", help="this one first; or slurm")
    for name in ("communication-cores", "remote-shell", "port", "interface"):
        several.add_argument(f"--{name}", metavar="VALUE")
    args = parser.parse_args()
    if args.features is None and args.epochs > 0:
        parser.error("--epochs above 0 needs --features of the training set")
    return args


def main() -> None:
    args = parse_args()
    if args.features is None:
        keep(args, Hyperparameters(**hyperparameters_of(args)))
        return
    recipe = Hyperparameters(**hyperparameters_of(args))
    if (args.processes != "1" or args.hosts) and not worker.was_distributed():
        with claim_of(args, team=True) as claim:  # before any other host is asked to take part
            if claim.take(say, partial(facts, args, recipe)):
                return
        distribute(args)
    torch_environment.prepare()
    with join(args) as team:
        finetune(args, recipe, team)


def hyperparameters_of(args: argparse.Namespace) -> dict[str, Any]:
    return {field.name: getattr(args, field.name) for field in fields(Hyperparameters)}


if __name__ == "__main__":
    exit_with(main)
