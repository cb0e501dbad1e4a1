"""provenance.py: what went into an experiment."""

from pathlib import Path

from bertsquad.experiment.provenance import describe_inputs


def test_inputs_are_described_as_found_and_as_catalogued(tmp_path: Path):
    (tmp_path / "dev.json").write_text("{}")
    entries = {"dev.json": {"license": "CC-BY-SA-4.0"}, "other": {}}
    assert describe_inputs([tmp_path / "dev.json"], entries) == {
        "dev.json": {
            "sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "bytes": 2,
            "license": "CC-BY-SA-4.0",
        }
    }
