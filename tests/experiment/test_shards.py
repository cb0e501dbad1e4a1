"""Which runs are cut into parts, and where these are."""

import pytest

from bertsquad.console.errors import UserError
from bertsquad.experiment.shards import Shards
from experiment.test_files import experiment


def test_without_the_key_nothing_is_cut_and_the_configuration_is_as_before():
    whole = experiment()
    assert "logits" not in whole.config
    assert Shards(whole).cut_runs() == []
    assert Shards(whole).whole_runs() == list(whole.config["runs"])


def test_one_shard_is_none():
    assert Shards(experiment(changes={"logits": {"shards": 1}})).cut_runs() == []
    assert Shards(experiment(changes={"logits": {}})).cut_runs() == []


def test_parts_are_numbered_from_one():
    cut = Shards(experiment(changes={"logits": {"shards": 2}}))
    assert cut.whole_runs() == []
    assert cut.cut_runs() == list(cut.experiment.config["runs"])
    assert cut.files("demo-fp32", "torch", "bf16") == [
        "r/demo-fp32/torch-bf16/shards/1-of-2.safetensors",
        "r/demo-fp32/torch-bf16/shards/2-of-2.safetensors",
    ]


@pytest.mark.parametrize("number", [0, 1001, "8", 1.5])
def test_other_numbers_are_refused(number):
    with pytest.raises(UserError, match=r"logits\.shards"):
        experiment(changes={"logits": {"shards": number}})
