"""The five calls of docs/api.md: they agree with each other and with the commands."""

import json
import re
import runpy
import shutil
from pathlib import Path

import pytest

from bertsquad import api
from project import ROOT
from tiny_bert import add_answer_head, write_model_folder

PASSAGE = "The ferry to Port Anselm leaves at seven from pier three."
WORDS = f"{PASSAGE} When does it leave? Which".lower().replace(".", " .").replace("?", " ?")
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set(WORDS.split()))]
QUESTIONS = [("q1", "When does it leave?", "seven"), ("q2", "Which pier?", "three")]


def dataset(answered: bool = True) -> dict:
    questions = [
        {"id": id_, "question": text, "answers": [{"text": gold}] if answered else []}
        for id_, text, gold in QUESTIONS
    ]
    return {"data": [{"paragraphs": [{"context": PASSAGE, "qas": questions}]}]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("api")
    write_model_folder(made / "models/mine", vocab=TOKENS, vocab_size=len(TOKENS))
    add_answer_head(made / "models/mine")
    (made / "data").mkdir()
    (made / "data/dev.json").write_text(json.dumps(dataset()))
    return made


@pytest.fixture(scope="module")
def model(folder: Path):
    with api.load(folder / "models/mine", engine="torch", threads=1) as loaded:
        yield loaded


def test_the_example_of_the_page_runs(folder: Path, monkeypatch, capsys):
    (code,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/api.md").read_text(), re.M | re.S)
    (folder / "example.py").write_text(code)
    monkeypatch.chdir(folder)
    runpy.run_path("example.py")
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 4
    assert all(re.fullmatch(r".+: \d+%", line) for line in printed[:3])
    assert re.fullmatch(r"F1 [\d.]+ \([\d.]+ to [\d.]+\) on 2 questions", printed[3])


def test_one_answer_is_the_dataset_s(model):
    decoded = api.decode(model, api.featurize(model, dataset()))
    for id_, question, _ in QUESTIONS:
        answers = api.answer(model, question, PASSAGE, n_best=20)
        best = decoded.nbest[id_]
        assert [a.text for a in answers] == best.texts
        assert [a.probability for a in answers] == pytest.approx(best.probabilities, rel=1e-4)
        assert decoded.predictions[id_] == answers[0].text


def test_an_answer_is_at_its_place_in_the_passage(model):
    spaced = "Seven  piers.\tThe ferry leaves at seven\nfrom pier three."
    answers = api.answer(model, "When?", spaced, n_best=20)
    assert answers[0].passage == "Seven piers. The ferry leaves at seven from pier three."
    assert sum(answer.begin is not None for answer in answers) >= 15
    for answer in answers:
        if answer.begin is not None:
            assert answer.passage[answer.begin : answer.end] == answer.text


def test_of_two_equal_texts_the_one_that_was_meant_is_placed(model):
    """The n best of a passage that says a word twice place both."""
    answers = api.answer(model, "Which?", "three from pier three", n_best=20)
    places = {answer.begin for answer in answers if answer.text.startswith("three")}
    texts = {answer.text for answer in answers}
    assert "three" in texts
    assert places <= {0, 16}


def test_scores_are_percent_with_intervals():
    scores = api.score(dataset(), {"q1": "seven", "q2": "pier three"})
    assert (scores["exact_match"], scores["questions"]) == (50.0, 2)
    assert scores["f1"] == pytest.approx(100 * (1 + 2 / 3) / 2)
    low, high = scores["exact_match_interval"]
    assert 0 < low < 50 < high < 100


@pytest.mark.parametrize(
    ("question", "passage", "message"),
    [
        (" ", PASSAGE, "the question is empty"),
        ("When?", "\n", "the passage is empty"),
        ("Wh\udcff?", PASSAGE, "the question has a byte or half a character at 2"),
        ("When?", "At \ud800.", "the passage has a byte or half a character at 3"),
    ],
)
def test_what_is_no_text_is_told(model, question: str, passage: str, message: str):
    with pytest.raises(api.UserError, match=message):
        api.answer(model, question, passage)


def test_windows_longer_than_the_model_are_told(model):
    with pytest.raises(api.UserError, match="max_seq_length is 41; expected at most 40"):
        api.featurize(model, dataset(), max_seq_length=41)


def test_questions_are_as_long_as_asked_for(model):
    """By default 17 of 40; 10 of 26."""
    longer = {"context": PASSAGE, "qas": [{"id": "1", "question": "seven " * 30}]}
    asked = {"data": [{"paragraphs": [longer]}]}
    for given, length in (
        ({}, 17),
        ({"max_seq_length": 26}, 10),
        ({"max_query_length": 20}, 20),
        ({"max_query_length": 5}, 5),
    ):
        made = api.featurize(model, asked, **given)
        assert made.features.question_lengths.tolist() == [length]


def test_accents_stay_where_tokenizer_json_alone_says_so(folder: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    given = shutil.copytree(folder / "models/mine", tmp_path / "given")
    (given / "tokenizer_config.json").unlink(missing_ok=True)
    normalizer = {"type": "BertNormalizer", "lowercase": True, "strip_accents": False}
    (given / "tokenizer.json").write_text(json.dumps({"normalizer": normalizer}))
    with api.load(given, engine="torch", threads=1) as loaded:
        assert (loaded.vocabulary.lowercase, loaded.vocabulary.strip_accents) == (True, False)


def test_a_vocabulary_of_another_model_is_told(folder: Path, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    given = shutil.copytree(folder / "models/mine", tmp_path / "given")
    (given / "vocab.txt").write_text("\n".join([*TOKENS, "more"]) + "\n")
    with pytest.raises(api.UserError, match=rf"{len(TOKENS) + 1} tokens; expected at most"):
        api.load(given, engine="torch", threads=1)
    assert capsys.readouterr().err == ""


def test_a_folder_in_another_form_is_converted_once(
    folder: Path, tmp_path: Path, monkeypatch, capsys
):
    from safetensors.torch import load_file, save_file

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    half = shutil.copytree(folder / "models/mine", tmp_path / "half")
    tensors = load_file(half / "model.safetensors")
    short = {name.removeprefix("bert."): tensor.half() for name, tensor in tensors.items()}
    save_file(short, half / "model.safetensors")
    texts = []
    for _ in range(2):
        with api.load(half, engine="torch", threads=1) as loaded:
            texts.append(api.answer(loaded, "When?", PASSAGE)[0].text)
    assert texts[0] == texts[1]
    assert capsys.readouterr().err.count("converted once into") == 1
    (copy,) = (tmp_path / "cache/bertsquad/models").iterdir()
    assert sorted(path.name for path in copy.iterdir()) == sorted(
        ["config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"]
    )


def test_a_model_without_a_head_is_told(tmp_path: Path):
    write_model_folder(tmp_path / "headless")
    with pytest.raises(api.UserError, match=r"headless: a model without an answer head \(qa_out"):
        api.load(tmp_path / "headless")


def test_another_kind_of_model_is_told(tmp_path: Path):
    folder = write_model_folder(tmp_path / "other")
    (folder / "config.json").write_text('{"model_type": "distilbert", "dim": 32}')
    with pytest.raises(api.UserError, match="model_type is 'distilbert'; expected 'bert'"):
        api.load(folder)


def test_a_threshold_lets_a_passage_hold_no_answer(model):
    """Far below all scores no answer is first, far above it is not; at 0 it is as decode says."""
    question = "When does it leave?"
    always = api.answer(model, question, PASSAGE, n_best=30, null_score_diff_threshold=-1e6)
    never = api.answer(model, question, PASSAGE, n_best=30, null_score_diff_threshold=1e6)
    assert (always[0].text, always[0].begin) == ("", None)
    assert never[0].text == api.answer(model, question, PASSAGE)[0].text
    assert [one.text for one in never].count("") == 1
    decoded = api.decode(model, api.featurize(model, dataset()), null_score_diff_threshold=0.0)
    found = api.answer(model, question, PASSAGE, null_score_diff_threshold=0.0)
    assert found[0].text == decoded.predictions["q1"]


def test_a_guessed_casing_that_leaves_words_unknown_is_told(folder: Path, tmp_path: Path):
    given = shutil.copytree(folder / "models/mine", tmp_path / "given")
    (given / "tokenizer_config.json").unlink(missing_ok=True)
    words = [word for word in TOKENS if word not in ("pier", "port")]
    (given / "vocab.txt").write_text("\n".join([*words, "Pier", "Port"]) + "\n")
    with (
        api.load(given, engine="torch", threads=1) as loaded,
        pytest.raises(api.UserError, match=r"looks cased, but then .* say which by do_lower_case"),
    ):
        api.answer(loaded, "When?", "The ferry leaves. The ferry leaves at seven.")


@pytest.mark.parametrize(
    ("installed", "engine", "precision", "chosen"),
    [
        (["torch", "openvino"], None, "fp32", "torch"),
        (["torch", "openvino"], None, "int8", "openvino"),
        (["openvino"], "openvino", "bf16", "openvino"),
    ],
)
def test_the_first_engine_that_is_installed_and_able_is_taken(
    monkeypatch, installed, engine, precision, chosen
):
    monkeypatch.setattr(api, "installed_engines", lambda: installed)
    assert api.choose_engine(engine, precision) == chosen


@pytest.mark.parametrize(
    ("installed", "engine", "precision", "said"),
    [
        (["torch"], None, "int8", "precision 'int8': no installed engine has it; install one, as"),
        (["torch"], "torch", "int8", "the engine torch has no int8, only fp32, bf16; no installed"),
        (["torch", "openvino"], "torch", "int8", "of the installed engines openvino can"),
        (["torch"], "openvino", "int8", "engine openvino are not installed: pip install '.[open"),
        ([], None, "fp32", "no installed engine has it; install one, as in pip install '.[torch]'"),
        ([], "torch", "fp32", "'.[torch]'; installed are those of no engine"),
        (["torch"], None, "fp8", "no engine has the precision 'fp8': torch has fp32, bf16; onnx"),
        (["torch"], "toch", "fp32", "engine is 'toch'; expected one of: torch, onnxruntime, open"),
    ],
)
def test_an_engine_that_cannot_be_is_answered_with_what_can(
    monkeypatch, installed, engine, precision, said
):
    monkeypatch.setattr(api, "installed_engines", lambda: installed)
    with pytest.raises(api.UserError, match=re.escape(said)):
        api.choose_engine(engine, precision)
