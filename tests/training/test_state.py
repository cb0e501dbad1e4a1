"""The state file: whole or not at all, and only for the training it belongs to."""

import pytest
import torch
from torch import nn

from bertsquad.training.optimizer import adam_weight_decay, update
from bertsquad.training.state import History, Saving, TrainingState, differences

FACTS = {"features": "f00d", "hyperparameters": {"seed": 0, "hidden_dropout": None}}


def a_training(seed):
    torch.manual_seed(seed)
    model = nn.Linear(3, 2)
    optimizer = adam_weight_decay(model.named_parameters(), weight_decay=0.01)
    model(torch.randn(4, 3)).sum().backward()
    update(optimizer, 0.1)
    return model, optimizer


def tensors(model, optimizer):
    return [
        tensor.clone()
        for parameter in model.parameters()
        for tensor in (
            parameter.detach(),
            optimizer.state[parameter]["exp_avg"],
            optimizer.state[parameter]["exp_avg_sq"],
        )
    ]


def test_what_was_saved_is_restored(tmp_path):
    saved, other = a_training(seed=1), a_training(seed=2)
    progress = History(log=[{"step": 1, "loss": 0.1}, {"step": 2, "loss": 1 / 3}], elapsed_s=1.5)
    TrainingState(tmp_path, FACTS).save(*saved, progress)
    restored, refused = TrainingState(tmp_path, FACTS).restore(*other)
    assert (restored, refused) == (progress, None)
    assert restored.steps == 2
    for a, b in zip(tensors(*saved), tensors(*other), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("cost_s", "waited_s", "due"),
    # Every 60 s, or where saving takes more than 5 % of that, 20 times as long as it takes.
    [(0, 59, False), (0, 61, True), (2, 61, True), (4, 61, False), (4, 79, False), (4, 81, True)],
)
def test_a_state_is_saved_every_minute_and_less_often_where_that_takes_long(
    monkeypatch, cost_s, waited_s, due
):
    now = [1000.0]
    monkeypatch.setattr("bertsquad.training.state.time.monotonic", lambda: now[0])

    class Slow:
        def save(self, model, optimizer, history):
            now[0] += cost_s

    saving = Saving(60.0, None)
    saving.save(Slow(), None, None, History([{"step": 1}, {"step": 2}]))
    assert saving.saved == 2
    now[0] += waited_s
    assert saving.is_due(3) is due


def test_a_state_is_saved_after_as_many_steps_as_asked():
    saving = Saving(0.0, 4)
    assert [done for done in range(1, 13) if saving.is_due(done)] == [4, 8, 12]


def test_nothing_saved_is_a_fresh_start(tmp_path):
    assert TrainingState(tmp_path / "none", FACTS).restore(*a_training(1)) == (History(), None)


@pytest.mark.parametrize("damage", [lambda data: data[:-5], lambda data: b"", lambda data: b"ab"])
def test_a_damaged_state_is_a_fresh_start_that_says_so(tmp_path, damage):
    state, training = TrainingState(tmp_path, FACTS), a_training(1)
    state.save(*training, History([{"step": 1}]))
    state.path.write_bytes(damage(state.path.read_bytes()))
    before = tensors(*training)
    progress, refused = state.restore(*training)
    assert progress == History()
    assert refused.startswith("damaged (")
    for a, b in zip(before, tensors(*training), strict=True):
        assert torch.equal(a, b)


def test_any_changed_byte_is_found_before_anything_is_touched(tmp_path):
    state, training = TrainingState(tmp_path, FACTS), a_training(1)
    state.save(*training, History([{"step": 1}], elapsed_s=2.0))
    whole = state.path.read_bytes()
    other = a_training(2)
    before = tensors(*other)
    padding = whole.rindex(b"}", 0, 8 + int.from_bytes(whole[:8], "little")) + 1
    for place in range(len(whole)):
        if padding <= place < 8 + int.from_bytes(whole[:8], "little"):
            continue  # spaces behind the header: JSON does not mind other white space
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 7
        state.path.write_bytes(damaged)
        history, refused = state.restore(*other)
        assert history == History(), place
        assert refused.startswith("damaged ("), place
    for a, b in zip(before, tensors(*other), strict=True):
        assert torch.equal(a, b)


def test_a_state_of_another_model_is_refused_untouched(tmp_path):
    TrainingState(tmp_path, FACTS).save(*a_training(1), History([{"step": 1}]))
    model = nn.Linear(3, 4)
    optimizer = adam_weight_decay(model.named_parameters(), weight_decay=0.01)
    model(torch.randn(4, 3)).sum().backward()
    update(optimizer, 0.1)
    before = tensors(model, optimizer)
    assert TrainingState(tmp_path, FACTS).restore(model, optimizer) == (
        History(),
        "of a model with other tensors",
    )
    for a, b in zip(before, tensors(model, optimizer), strict=True):
        assert torch.equal(a, b)


def test_a_state_of_other_facts_is_refused_and_says_which(tmp_path):
    training = a_training(1)
    TrainingState(tmp_path, FACTS).save(*training, History([{"step": 1}]))
    other = {"features": "beef", "hyperparameters": {"seed": 7, "hidden_dropout": None}}
    progress, refused = TrainingState(tmp_path, other).restore(*training)
    assert progress == History()
    assert refused == "of another training: features, hyperparameters.seed differ"


def test_a_save_that_fails_keeps_the_one_before(tmp_path, monkeypatch):
    state, training = TrainingState(tmp_path, FACTS), a_training(1)
    state.save(*training, History([{"step": 1}]))

    def full(path, *_):
        path.write_bytes(b"half a fi")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bertsquad.tensorfile.write_streamed", full)
    with pytest.raises(OSError, match="No space left"):
        state.save(*training, History([{"step": 1}, {"step": 2}]))
    assert state.restore(*training)[0].steps == 1
    assert [path.name for path in tmp_path.iterdir()] == ["state.safetensors"]


def test_removing_leaves_nothing_but_what_is_not_its_own(tmp_path):
    state = TrainingState(tmp_path / "state", FACTS)
    state.save(*a_training(1), History())
    state.remove()
    assert not state.path.parent.exists()
    state.remove()
    state.save(*a_training(1), History())
    note = state.path.parent / "note.txt"
    note.write_text("mine")
    state.remove()
    assert [path.name for path in state.path.parent.iterdir()] == ["note.txt"]


def test_differences_are_named_by_their_place():
    stored = {"a": 1, "b": {"x": 1, "y": 2}, "c": 3}
    assert differences(stored, {"a": 1, "b": {"x": 2, "y": 2}, "d": 4}) == ["b.x", "c", "d"]


# When to save


@pytest.fixture
def clock(monkeypatch):
    """Seconds that stand until a test moves them."""
    seconds = [100.0]
    monkeypatch.setattr("bertsquad.training.state.time.monotonic", lambda: seconds[0])
    return seconds


def test_a_state_is_saved_every_so_many_steps(clock):
    saving = Saving(0.0, 3)
    assert [step for step in range(1, 10) if saving.is_due(step)] == [3, 6, 9]


def test_without_steps_it_is_saved_every_so_many_seconds(clock):
    saving = Saving(60.0, None)
    clock[0] += 60
    assert not saving.is_due(1)
    clock[0] += 1
    assert saving.is_due(2)


def test_saving_takes_a_twentieth_of_the_time_at_most(clock):
    class SlowState:
        def save(self, *arguments):
            clock[0] += 6

    saving = Saving(60.0, None)
    saving.save(SlowState(), None, None, History())
    clock[0] += 119
    assert not saving.is_due(1)
    clock[0] += 2
    assert saving.is_due(2)
