"""Write a certificate of results: what was done, by which code, on what, and every doubt.

Without `--files` all of the folder is certified. The same results give the same chain number on
every machine, in every folder.

Example:
    python scripts/certify.py --results results --output results/certificate.json
"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with

if TYPE_CHECKING:
    from bertsquad.experiment.origin import Origin

REPOSITORY = Path(__file__).resolve().parent.parent


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--results", required=True, help="the results folder")
    parser.add_argument("--resources", help="by default resources in it")
    parser.add_argument("--logs", type=Path, help="of the steps' records; by default logs in it")
    parser.add_argument(
        "--scripts", default="scripts", help="the folder of the code, as rules name it"
    )
    parser.add_argument(
        "--metadata", type=Path, default=Path(".snakemake/metadata"), help="Snakemake's notes"
    )
    parser.add_argument("--files", type=Path, nargs="*", default=[], help="what is certified")
    parser.add_argument(
        "--origin", type=origin_option, help="version, commit, changed, unknown of the code, JSON"
    )
    parser.add_argument("--command", help="what made the results")
    parser.add_argument("--text", type=Path, help="the same in words, to write")
    parser.add_argument("--output", type=Path, required=True, help="JSON to write")
    return parser.parse_args()


def origin_option(text: str) -> "Origin":
    """The code as the workflow found it: inside a container there may be no git to ask."""
    from bertsquad.experiment.origin import Origin

    try:
        given = json.loads(text)
        return Origin(given["version"], given["commit"], tuple(given["changed"]), given["unknown"])
    except (KeyError, TypeError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"not an origin as JSON: {error!r}") from None


def main() -> None:
    from bertsquad.certificate.gather import Run, certify
    from bertsquad.certificate.hashing import Hashes
    from bertsquad.certificate.known_hashes import KnownHashes
    from bertsquad.certificate.record import Places
    from bertsquad.certificate.schema import write_certificate
    from bertsquad.certificate.sentence import in_words
    from bertsquad.experiment.origin import origin
    from bertsquad.files import write_text

    args = parse_args()
    resources = args.resources or f"{args.results}/resources"
    known = KnownHashes(Path(resources))
    run = Run(
        places=Places(args.results, resources, args.scripts),
        logs=args.logs or Path(args.results, "logs"),
        metadata=args.metadata,
        constraints=REPOSITORY / "envs/constraints.txt",
    )
    certificate = certify(
        run,
        args.files,
        origin=args.origin or origin(REPOSITORY),
        command=args.command,
        hashes=Hashes(known.sha256),
    )
    known.save()
    if args.text:
        write_text(args.text, in_words(certificate))
    write_certificate(args.output, certificate)
    print(in_words(certificate), end="")


if __name__ == "__main__":
    exit_with(main)
