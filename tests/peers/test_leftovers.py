"""Models that `make bench` leaves."""

from pathlib import Path

from bertsquad.peers.contenders import REAL, Contender, Work
from bertsquad.peers.leftovers import clear, model_folder, size_of


def work(name: str, layers: int) -> Work:
    return Work(
        name, "inference", "fp32", (Contender("t", "ours", "torch", "fp32", REAL, "", layers),)
    )


def models(folder: Path) -> None:
    for layers in (2, 4):
        path = model_folder(folder, layers)
        path.mkdir(parents=True)
        (path / "model.safetensors").write_bytes(bytes(3_000_000))


def test_models_that_no_unfinished_work_reads_go_and_it_is_said_how_much(tmp_path):
    models(tmp_path)
    lines = clear(tmp_path, [work("inference-fp32", 4)])
    assert not model_folder(tmp_path, 2).exists()
    assert (model_folder(tmp_path, 4) / "model.safetensors").exists()
    assert lines == [
        f"{tmp_path}/models/layers-2: 3 MB removed: no work needs it again",
        f"{tmp_path}/models/layers-4: 3 MB kept for inference-fp32, not measured yet: remove it "
        "where that is not planned",
    ]


def test_after_the_last_work_nothing_is_left(tmp_path):
    models(tmp_path)
    assert len(clear(tmp_path, [])) == 2
    assert size_of(tmp_path) == 0
    assert clear(tmp_path, []) == []
