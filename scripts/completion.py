"""Print what makes a shell complete the words of bertsquad: verbs, options, files.

Examples:
    eval "$(bertsquad completion bash)"     # in ~/.bashrc
    eval "$(bertsquad completion zsh)"      # in ~/.zshrc, after compinit
"""

from __future__ import annotations

import argparse

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("shell", choices=["bash", "zsh"])
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from argcomplete.shell_integration import shellcode

    print(shellcode(["bertsquad"], shell=args.shell))


if __name__ == "__main__":
    exit_with(main)
