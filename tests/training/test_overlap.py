"""While a step's last gradients are computed, the first of them are already on their way."""

import numpy as np
import pytest
import torch

from bertsquad.distributed.buckets import Buckets
from bertsquad.model import folder as model_folder
from bertsquad.training.hyperparameters import Hyperparameters
from bertsquad.training.loop import add_gradients
from bertsquad.training.team import Alone
from tiny_bert import write_model_folder
from tiny_training import training_features

SETTINGS = Hyperparameters(precision="fp32", batch_size=6, micro_batch_tokens=64)


class Sending(Alone):
    """A team whose buckets are "sent" by noting which part of the step is being computed."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.buckets: Buckets | None = None

    def prepare_gradients(self, model):
        self.buckets = Buckets(model, lambda _: self.events.append("sent"), bucket_bytes=4096)
        first = model.bert.embeddings.word_embeddings.weight
        first.register_post_accumulate_grad_hook(lambda _: self.events.append("embeddings"))

    def last_backward_follows(self):
        self.events.append("last")
        self.buckets.arm()

    def sum(self, loss):
        self.events.append("sum")
        self.buckets.flush()
        return loss


@pytest.fixture
def events(tmp_path):
    """What happened in one step of several micro-batches, in order."""
    model = model_folder.load(write_model_folder(tmp_path), head="normal")
    features = training_features()
    team = Sending()
    team.prepare_gradients(model)
    add_gradients(model, features, np.arange(6), SETTINGS, 0, team)
    assert all(torch.isfinite(bucket).all() for bucket in team.buckets.buckets)
    return team.events


def test_gradients_leave_during_the_last_backward_pass_and_none_before(events):
    assert events.count("embeddings") > 1  # several micro-batches
    assert events.count("last") == 1
    at = events.index("last")
    assert "sent" not in events[:at]
    assert events[:at].count("embeddings") == events.count("embeddings") - 1
    last_pass = events[at : len(events) - 1 - events[::-1].index("embeddings")]
    assert last_pass.count("sent") >= 3


def test_what_is_left_leaves_before_the_sum(events):
    after = events[events.index("sum") :]
    assert after.count("sent") == 0  # the embeddings' bucket too left by itself
