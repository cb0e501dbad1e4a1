"""own_json.py: strict where results rest on it, lenient where it only helps."""

import json

import pytest

from bertsquad.console.errors import UserError
from bertsquad.own_json import as_written, json_or_none, object_or_empty, parsed, read_own_json


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"f1": 50.0, "f1": 99.0}', "the name 'f1' is there twice in an object"),
        ('{"a": [{"b": 1, "c": 2, "b": 3}]}', "the name 'b' is there twice"),
        ('{"f1": 1e400}', "1e400 is too large a number"),
        ('{"f1": NaN}', "NaN is no number of JSON"),
        ('{"f1": -Infinity}', "-Infinity is no number of JSON"),
        (r'{"a": "\ud800"}', "half a character"),
        ("[" * 100_000, "too deep within each other"),
        ("9" * 5_000, "4300 digits"),
    ],
)
def test_what_has_two_meanings_or_none_is_refused_in_a_line(tmp_path, text, said):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(UserError, match=said) as refused:
        read_own_json(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)
    assert json_or_none(path) is None


def test_whole_characters_and_bytes_are_read():
    assert parsed(r'{"a": "\ud83d\ude00", "b": 1.5}') == {"a": "\N{GRINNING FACE}", "b": 1.5}
    assert parsed('\ufeff{"a": "é"}'.encode()) == {"a": "é"}
    with pytest.raises(ValueError, match="utf-8"):
        parsed(b'{"a": "\xed\xa0\x80"}')


def test_what_only_helps_is_as_if_it_were_not_there(tmp_path):
    for content in (b"", b"\xff", b"{", b"[1]", b'{"a": 1, "a": 2}'):
        (tmp_path / "a.json").write_bytes(content)
        assert object_or_empty(tmp_path / "a.json") == {}
    assert object_or_empty(tmp_path / "no.json") == {}
    (tmp_path / "a.json").write_text(json.dumps({"a": 1}))
    assert object_or_empty(tmp_path / "a.json") == {"a": 1}


def test_another_shape_names_the_files_and_what_to_do():
    with pytest.raises(UserError) as refused, as_written("a.json", "b.json", again="make it again"):
        {}["gflops"]
    assert str(refused.value) == (
        "one of a.json, b.json: not as this version writes it (KeyError('gflops')); make it again"
    )
    with pytest.raises(UserError, match=r"^c\.json: a reason$"), as_written("a.json"):
        raise UserError("c.json: a reason")
