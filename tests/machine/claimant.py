"""Takes a claim and keeps it until a word comes: `finish` or `fail`.

claimant.py FOLDER OUTPUT TEXT FACTS: prints what it says, then `taken` or `joined`.
"""

import json
import sys
from pathlib import Path

from bertsquad.machine import claim


def say(message: str) -> None:
    print(message, flush=True)


folder, output, text, facts = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
claim._LOOK_EVERY_S = 0.05
with claim.Claim(folder, [output], beat_s=0.05) as mine:
    if mine.take(say, lambda: json.loads(facts)):
        say("joined")
    else:
        say("taken")
        if sys.stdin.readline().strip() == "finish":
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_text(text)
            mine.finish(json.loads(facts))
