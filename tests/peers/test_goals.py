"""What is meant to be reached."""

import pytest

from bertsquad.peers.goals import memory_goal_mib


@pytest.mark.parametrize(("precision", "wanted"), [("fp32", 120), ("bf16", 70), ("int8", 45)])
def test_inference_takes_a_fifth_of_the_fp32_weights_beside_its_own(precision, wanted):
    assert memory_goal_mib("inference", precision, 100.0) == pytest.approx(wanted)


def test_finetuning_has_a_goal_in_bf16_alone():
    assert memory_goal_mib("fine-tuning", "bf16", 1274.0) == pytest.approx(6199, abs=1)
    assert memory_goal_mib("fine-tuning", "fp32", 1274.0) is None
