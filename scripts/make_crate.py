"""Put a finished run into one zip archive that verifies itself and can be run again.

The archive is a BagIt bag with a Provenance Run Crate inside: results, code, configuration and the
certificate. The same results give the same bytes.

Example:
    python scripts/make_crate.py --results results --agent "Ada Lovelace" \\
        --orcid https://orcid.org/0000-0002-1825-0097
"""

import argparse
from pathlib import Path

from bertsquad.console.arguments import command_parser, positive
from bertsquad.console.errors import UserError, exit_with

DEFAULT_MAX_FILE = (
    100 * 10**6
)  # as in bertsquad.certificate.crate.payload, which --help need not import


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--results", type=Path, required=True, metavar="DIR", help="folder of a finished run")
    add("--resources", type=Path, metavar="DIR", help="downloads (default: resources of them)")
    add("--output-dir", type=Path, metavar="DIR", help="where to put it (default: the results)")
    add(
        "--max-file",
        type=positive,
        default=DEFAULT_MAX_FILE,
        metavar="BYTES",
        help="larger files are named with their SHA-256 and left out (default: 100 MB)",
    )
    add(
        "--lock",
        type=Path,
        default=Path("config/artifacts.lock.json"),
        metavar="JSON",
        help="checksums of what was downloaded (default: config/artifacts.lock.json)",
    )
    add("--agent", metavar="NAME", help="who made the run (default: nobody is named)")
    add("--orcid", metavar="URL", help="their ORCID, https://orcid.org/...")
    add("--affiliation", metavar="NAME", help="their institution")
    add("--affiliation-url", metavar="URL", help="its address")
    args = parser.parse_args()
    if not args.agent and (args.orcid or args.affiliation or args.affiliation_url):
        parser.error("--orcid and --affiliation are of an --agent: name it")
    for option in ("orcid", "affiliation_url"):
        url = getattr(args, option)
        if url and not url.startswith(("https://", "http://")):
            parser.error(f"--{option.replace('_', '-')}: found {url!r}, expected https://...")
    return args


def main() -> None:
    args = parse_args()
    from bertsquad.certificate.crate.document import Agent
    from bertsquad.certificate.crate.writing import Origin, make_crate
    from bertsquad.console.quantities import readable_bytes

    repository = Path(__file__).resolve().parent.parent
    if not (repository / "Snakefile").is_file():
        raise UserError(f"{repository}: no Snakefile; make the crate in a checkout of the project")
    named = Agent(args.agent, args.orcid, args.affiliation, args.affiliation_url)
    origin = Origin(
        args.results, args.resources or args.results / "resources", repository, args.lock
    )
    made = make_crate(
        origin,
        args.output_dir or args.results,
        max_file=args.max_file,
        agent=named if args.agent else Agent(),
    )
    size = readable_bytes(made.path.stat().st_size)
    absent = f"; {made.left_out} more are named in it" if made.left_out else ""
    print(f"{made.path}: {size}, {made.files} files{absent}")
    print(f"verify it: python scripts/verify_crate.py {made.path}")


if __name__ == "__main__":
    exit_with(main)
