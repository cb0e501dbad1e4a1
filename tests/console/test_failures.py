"""What failed jobs said, out of Snakemake's log and theirs."""

from pathlib import Path

import pytest

from bertsquad.console.failures import failures, last_words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("reading\nx.py: error: disk full\nRemoving output\n", "x.py: error: disk full"),
        ("x.py: error: first\nx.py: error: second\n", "x.py: error: second"),
        ("Traceback\n  File\nKeyError: 'a'\n\n", "KeyError: 'a'"),
        ("", ""),
    ],
)
def test_the_last_error_is_what_a_log_says(tmp_path: Path, text: str, said: str):
    (tmp_path / "a.log").write_text(text)
    assert last_words(tmp_path / "a.log") == said


def test_each_failed_job_has_a_line_with_its_log(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a b.log").write_text("predict.py: error: a\x1b[31m.json: no such file\n")
    failed = (
        "Command 'set -euo pipefail; python p.py &> 'a b.log'' returned non-zero exit status 2\n"
    )
    Path("s.log").write_text(failed * 2 + failed.replace("'a b.log'", "gone.log"))
    assert list(failures([Path("s.log")])) == [
        "a step failed: predict.py: error: a\\x1b[31m.json: no such file (a b.log)",
        "a step failed: it said nothing (gone.log)",
    ]
