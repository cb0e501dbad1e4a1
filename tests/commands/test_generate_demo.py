"""The demo's generator: a valid SQuAD 1.1 set and a checkpoint laid out like Google's."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bertsquad.checkpoint.conversion import convert
from bertsquad.data import squad
from bertsquad.data.tokenization import Vocabulary
from bertsquad.files import sha256

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/generate_demo.py"
FOLDER = "demo_uncased_L-2_H-128_A-2"
NAMES = ("train.json", "dev.json", f"{FOLDER}.zip")


def generate(folder: Path, seed: int) -> list[str]:
    """Run the command for a small set; the checksums of its files."""
    folder.mkdir()
    train, dev, checkpoint = (str(folder / name) for name in NAMES)
    outputs = ["--train", train, "--dev", dev, "--checkpoint", checkpoint]
    sizes = ["--train-paragraphs", "300", "--dev-paragraphs", "60"]
    command = [sys.executable, str(SCRIPT), *outputs, *sizes, "--seed", str(seed)]
    subprocess.run(command, check=True, capture_output=True)
    return [sha256(folder / name) for name in NAMES]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "0"
    generate(folder, 0)
    return folder


def test_the_same_seed_makes_the_same_bytes_and_another_seed_others(made: Path, tmp_path: Path):
    first = [sha256(made / name) for name in NAMES]
    assert generate(tmp_path / "again", 0) == first
    assert not set(generate(tmp_path / "other", 1)) & set(first)


def test_it_is_valid_squad_and_every_answer_is_at_its_offset(made: Path):
    for name, purpose in (("train.json", "train"), ("dev.json", "score")):
        dataset = squad.load(made / name, purpose=purpose)
        for paragraph in dataset.paragraphs:
            for question in paragraph.questions:
                for answer in question.answers:
                    end = answer.start + len(answer.text)
                    assert paragraph.context[answer.start : end] == answer.text, question.id


def test_train_questions_have_one_answer_and_some_dev_questions_several(made: Path):
    train = squad.load(made / "train.json", purpose="train")
    assert {len(question.answers) for question in train.questions()} == {1}
    dev = squad.load(made / "dev.json", purpose="score")
    assert max(len(question.answers) for question in dev.questions()) > 1


def test_dev_shares_no_passage_with_train(made: Path):
    train, dev = (squad.load(made / name).paragraphs for name in ("train.json", "dev.json"))
    assert not {p.context for p in train} & {p.context for p in dev}


def test_some_passages_need_several_windows(made: Path, tmp_path: Path):
    with zipfile.ZipFile(made / f"{FOLDER}.zip") as archive:
        vocab = Path(archive.extract(f"{FOLDER}/vocab.txt", tmp_path))
    vocabulary = Vocabulary(vocab)
    dev = squad.load(made / "dev.json", purpose="score")
    lengths = [len(vocabulary.tokenize(paragraph.context)) for paragraph in dev.paragraphs]
    assert max(lengths) > 128 > min(lengths)


def test_no_word_of_dev_is_unknown(made: Path, tmp_path: Path):
    with zipfile.ZipFile(made / f"{FOLDER}.zip") as archive:
        vocab = Path(archive.extract(f"{FOLDER}/vocab.txt", tmp_path))
    vocabulary = Vocabulary(vocab)
    dev = json.loads((made / "dev.json").read_text())
    for article in dev["data"]:
        for paragraph in article["paragraphs"]:
            assert "[UNK]" not in vocabulary.tokenize(paragraph["context"])


def test_the_checkpoint_is_laid_out_like_googles_and_converts(made: Path, tmp_path: Path):
    with zipfile.ZipFile(made / f"{FOLDER}.zip") as archive:
        assert sorted(archive.namelist()) == [
            f"{FOLDER}/",
            f"{FOLDER}/bert_config.json",
            f"{FOLDER}/bert_model.ckpt.data-00000-of-00001",
            f"{FOLDER}/bert_model.ckpt.index",
            f"{FOLDER}/vocab.txt",
        ]
        archive.extractall(tmp_path)
    source = tmp_path / FOLDER
    converted = convert(
        source / "bert_model.ckpt",
        source / "bert_config.json",
        source / "vocab.txt",
        tmp_path / "converted",
        origin="google",
    )
    assert converted.lowercase
    assert converted.architecture == "BertForNextSentencePrediction"
