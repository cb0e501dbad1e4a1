"""Steps one after another: one that is killed says so."""

from pathlib import Path

import pytest

from bertsquad.console.errors import UserError
from bertsquad.experiment.stamps import Runner, Step


def test_a_step_that_is_killed_is_told_and_counts_as_not_done(tmp_path: Path):
    script = tmp_path / "go.py"
    script.write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    output = tmp_path / "made"
    output.write_text("old")
    step = Step("go", "it goes", script, [], [], [output], tmp_path / "go.log")
    runner = Runner(tmp_path / "steps.json")
    with pytest.raises(UserError, match=r"go: ended by SIGKILL, perhaps for want of memory"):
        runner.run(step)
    script.write_text(f"open({str(output)!r}, 'w').write('new')")
    assert runner.run(step)
    assert not runner.run(step)
