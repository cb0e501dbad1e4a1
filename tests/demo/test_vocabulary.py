"""The demo's WordPiece vocabulary."""

from bertsquad.demo.vocabulary import make_vocabulary, merges, split


def test_splits_as_berts_basic_tokenizer_does():
    assert split("Zoë's “Iron” bell, 1,500!") == [
        *("zoe", "'", "s", "“", "iron", "”", "bell", ",", "1", ",", "500", "!")
    ]


def test_the_commonest_pair_merges_first():
    assert list(merges(["abc", "abd", "abe", "xbc"], 2)) == ["ab"]  # which leaves one ##b ##c


def test_of_equally_common_pairs_the_one_that_sorts_first_merges():
    assert list(merges(["abc", "abd", "xbc"], 2)) == ["##bc"]


def test_special_tokens_come_first_and_no_token_twice():
    tokens = make_vocabulary(["the town of Velbeck"], size=4000)
    assert tokens[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert len(set(tokens)) == len(tokens)


def test_every_character_is_a_token_alone_and_inside_a_word():
    tokens = set(make_vocabulary(["Sankt-Orel, 1871"], size=4000))
    for character in "sanktorel1871":
        assert {character, f"##{character}"} <= tokens


def test_frequent_words_are_tokens_and_parts_of_names_are():
    names = [f"{stem}{ending}" for stem in ("Vel", "Ost") for ending in ("by", "ton", "wick")]
    tokens = make_vocabulary(["town"] * 40 + names * 5, size=4000, least_words=3)
    assert {"town", "vel", "ost"} <= set(tokens)
    assert not {name.lower() for name in names} & set(tokens)


def test_size_is_a_limit():
    assert len(make_vocabulary(["a town by a river"], size=120)) == 120
