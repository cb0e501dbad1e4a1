"""The training loop: gradients, recipe, order, resuming, and what it refuses."""

import dataclasses
import signal
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsquad.console.errors import UserError
from bertsquad.model import folder as model_folder
from bertsquad.model import matmul
from bertsquad.training.hyperparameters import Hyperparameters
from bertsquad.training.loop import add_gradients, answer_loss, plan_steps, train
from bertsquad.training.state import TrainingState
from bertsquad.training.stopping import Stopped
from tiny_bert import padded, random_batch, transformers_twin, write_model_folder
from tiny_training import training_features

DROPOUT = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
SETTINGS = Hyperparameters(
    precision="fp32", epochs=4, batch_size=6, learning_rate=1e-3, micro_batch_tokens=64
)


@pytest.fixture(autouse=True)
def one_thread():
    """Steps this small only wait for each other's threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_model_folder(tmp_path_factory.mktemp("checkpoint"), spread=0.1)


def load(checkpoint, **options):
    return model_folder.load(checkpoint, head="normal", **options)


def weights(model):
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def gradients(model):
    return {name: parameter.grad for name, parameter in model.named_parameters()}


def assert_same(a, b):
    assert a.keys() == b.keys()
    assert [name for name in a if not torch.equal(a[name], b[name])] == []


# One step equals transformers


@pytest.mark.parametrize("hidden_act", ["gelu", "gelu_new"])
def test_a_step_without_padding_equals_transformers_as_it_is(tmp_path, hidden_act):
    folder = write_model_folder(tmp_path, hidden_act=hidden_act)
    model = load(folder)
    twin = transformers_twin(folder, model).train()
    batch = random_batch([12] * 5)
    input_ids, input_mask, segment_ids = padded(batch, 12)
    expected = twin(
        input_ids,
        attention_mask=input_mask,
        token_type_ids=segment_ids,
        start_positions=torch.from_numpy(batch.start_positions),
        end_positions=torch.from_numpy(batch.end_positions),
    ).loss
    expected.backward()
    loss = answer_loss(*model(batch), batch) / len(batch)
    loss.backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(gradients(model), gradients(twin), atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("hidden_act", ["gelu", "gelu_new"])
@pytest.mark.parametrize("lengths", [[40, 3, 17, 17, 1, 25], [39, 2]])
def test_a_packed_step_equals_a_padded_one_of_transformers(tmp_path, hidden_act, lengths):
    """transformers lets the logits of padding into its softmax; here they are masked out of it."""
    folder = write_model_folder(tmp_path, hidden_act=hidden_act)
    model = load(folder)
    twin = transformers_twin(folder, model).train()
    batch = random_batch(lengths)
    input_ids, input_mask, segment_ids = padded(batch, 40)
    output = twin(input_ids, attention_mask=input_mask, token_type_ids=segment_ids)
    expected = sum(
        F.cross_entropy(
            logits.masked_fill(input_mask == 0, -torch.inf), torch.from_numpy(positions)
        )
        for logits, positions in (
            (output.start_logits, batch.start_positions),
            (output.end_logits, batch.end_positions),
        )
    )
    (expected / 2).backward()
    loss = answer_loss(*model(batch), batch) / len(batch)
    loss.backward()
    torch.testing.assert_close(loss, expected / 2)
    torch.testing.assert_close(gradients(model), gradients(twin), atol=1e-6, rtol=1e-4)


def test_bf16_gradients_point_where_fp32_gradients_do(checkpoint):
    batch = random_batch([40, 3, 17, 17, 1, 25])
    flat = {}
    for precision in ("fp32", "bf16"):
        model = load(checkpoint)
        model.precision = precision
        answer_loss(*model(batch), batch).backward()
        assert {p.grad.dtype for p in model.parameters()} == {torch.float32}
        flat[precision] = torch.cat([p.grad.flatten() for p in model.parameters()])
    assert F.cosine_similarity(flat["fp32"], flat["bf16"], dim=0) > 0.999
    assert not torch.equal(flat["fp32"], flat["bf16"])


@settings(max_examples=10, deadline=None)
@given(budget=st.integers(1, 400))
def test_any_token_budget_gives_the_gradient_of_the_whole_batch(checkpoint, budget):
    features, batch = training_features(), [0, 3, 5, 3, 11, 20, 7]
    results = []
    for tokens in (10**6, budget):
        model = load(checkpoint)
        hyperparameters = dataclasses.replace(SETTINGS, micro_batch_tokens=tokens)
        loss = add_gradients(model, features, torch.tensor(batch).numpy(), hyperparameters, step=0)
        results.append((loss, gradients(model)))
    torch.testing.assert_close(results[0][0], results[1][0])
    torch.testing.assert_close(results[0][1], results[1][1], atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_activation_checkpointing_gives_the_same_gradients_bit_for_bit(checkpoint, precision):
    hyperparameters = dataclasses.replace(SETTINGS, precision=precision)
    batch = torch.tensor([0, 3, 5, 3, 11, 20, 7]).numpy()
    results = []
    for checkpointing in (False, True):
        model = load(checkpoint, dropout=DROPOUT)
        model.precision = precision
        model.activation_checkpointing = checkpointing
        loss = add_gradients(model, training_features(), batch, hyperparameters, step=0)
        results.append((loss, gradients(model)))
        kept = model.bert.encoder.layer[0].intermediate.projection.kept
        assert bool(kept) != checkpointing
    assert results[0][0] == results[1][0]
    assert_same(results[0][1], results[1][1])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_copies_of_weights_stay_for_the_micro_batches_of_a_step(checkpoint, precision):
    batch = torch.tensor([0, 3, 5, 3, 11, 20, 7]).numpy()
    for tokens, several in ((10**6, False), (64, True)):
        model = load(checkpoint)
        model.precision = precision
        hyperparameters = dataclasses.replace(SETTINGS, micro_batch_tokens=tokens)
        add_gradients(model, training_features(), batch, hyperparameters, step=0)
        kept = model.bert.encoder.layer[0].intermediate.projection.kept
        assert bool(kept) == several


@pytest.mark.parametrize("kind", ["onednn", "blas"])
def test_a_training_step_is_the_same_on_both_kinds_of_processor(checkpoint, monkeypatch, kind):
    monkeypatch.setattr(matmul, "fp32_products", lambda: kind)
    monkeypatch.setattr(matmul, "fp32_weight_gradients", lambda: kind)
    batch = torch.tensor([0, 3, 5, 3, 11, 20, 7]).numpy()
    model, twin = load(checkpoint), load(checkpoint)
    loss = add_gradients(model, training_features(), batch, SETTINGS, step=0)
    monkeypatch.setattr(matmul, "fp32_products", lambda: "blas")
    monkeypatch.setattr(matmul, "fp32_weight_gradients", lambda: "blas")
    expected = add_gradients(twin, training_features(), batch, SETTINGS, step=0)
    assert loss == pytest.approx(expected, rel=1e-6)
    torch.testing.assert_close(gradients(model), gradients(twin), atol=1e-7, rtol=1e-5)


# The loop


def run(checkpoint, folder, hyperparameters=SETTINGS, features=None, *, dropout=None, **options):
    """Train a fresh model; return its weights and the log."""
    model = load(checkpoint, dropout=DROPOUT if dropout is None else dropout)
    state = TrainingState(folder, {"hyperparameters": dataclasses.asdict(hyperparameters)})
    log = train(model, features or training_features(), hyperparameters, state=state, **options)
    return weights(model), log


def without_times(log):
    return [{key: line[key] for key in ("step", "loss", "learning_rate", "tokens")} for line in log]


def test_training_learns(checkpoint, tmp_path):
    _, log = run(checkpoint, tmp_path, dataclasses.replace(SETTINGS, epochs=30), dropout={})
    assert log[-1]["loss"] < 0.5 * log[0]["loss"]


def test_the_log_has_a_line_for_every_step(checkpoint, tmp_path):
    _, log = run(checkpoint, tmp_path)
    assert [line["step"] for line in log] == list(range(1, 17))  # int(24 / 6 * 4)
    rates = [line["learning_rate"] for line in log]
    assert rates[:3] == [0.0, 1e-3 * (1 - 1 / 16), 1e-3 * (1 - 2 / 16)]  # one step of warm-up
    assert {line["examples"] for line in log} == {6}
    per_pass = int(training_features().lengths.sum())
    assert [sum(line["tokens"] for line in log[n : n + 4]) for n in (0, 4, 8, 12)] == [per_pass] * 4
    assert all(a["elapsed_s"] <= b["elapsed_s"] for a, b in pairwise(log))


def test_the_same_seed_gives_the_same_weights(checkpoint, tmp_path):
    assert_same(run(checkpoint, tmp_path)[0], run(checkpoint, tmp_path)[0])


def test_another_seed_gives_other_weights(checkpoint, tmp_path):
    first, _ = run(checkpoint, tmp_path)
    second, _ = run(checkpoint, tmp_path, dataclasses.replace(SETTINGS, seed=1))
    assert not torch.equal(first["qa_outputs.weight"], second["qa_outputs.weight"])


def test_training_drops_out_whatever_mode_the_model_was_in(checkpoint, tmp_path):
    def trained(mode, folder):
        model = load(checkpoint, dropout=DROPOUT).train(mode)
        train(model, training_features(), SETTINGS, state=TrainingState(tmp_path / folder, {}))
        assert model.training
        return weights(model)

    assert_same(trained(False, "predicting"), trained(True, "training"))


class Killed(BaseException):
    pass


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("last", [1, 5, 6, 15, 16])
def test_a_resumed_training_equals_an_undisturbed_one(checkpoint, tmp_path, precision, last):
    hyperparameters = dataclasses.replace(SETTINGS, precision=precision)

    def kill(line):
        if line["step"] == last:
            raise Killed

    expected, expected_log = run(checkpoint, tmp_path / "undisturbed", hyperparameters)
    with pytest.raises(Killed):
        run(checkpoint, tmp_path, hyperparameters, checkpoint_steps=3, on_step=kill)
    said = []
    found, log = run(
        checkpoint, tmp_path, hyperparameters, checkpoint_steps=3, announce=said.append
    )
    saved = (last - 1) // 3 * 3
    assert said == ([f"resuming after step {saved} of 16"] if saved else [])
    assert_same(found, expected)
    assert without_times(log) == without_times(expected_log)


@pytest.mark.parametrize("last", [1, 5, 16])
def test_a_stopped_training_has_saved_all_its_steps(checkpoint, tmp_path, last):
    def stop(line):
        if line["step"] == last:
            signal.raise_signal(signal.SIGTERM)

    expected, expected_log = run(checkpoint, tmp_path / "undisturbed")
    with pytest.raises(Stopped) as stopped:
        run(checkpoint, tmp_path, on_step=stop)
    assert stopped.value.steps == last
    said = []
    found, log = run(checkpoint, tmp_path, announce=said.append)
    assert said == [f"resuming after step {last} of 16"]
    assert_same(found, expected)
    assert without_times(log) == without_times(expected_log)


def test_a_step_that_is_given_up_leaves_weights_and_state_as_they_were(
    checkpoint, tmp_path, monkeypatch
):
    computed = []

    def stop(*arguments):
        computed.append(answer_loss(*arguments))
        if len(computed) == 8:  # in the middle of a step
            signal.raise_signal(signal.SIGUSR1)
        return computed[-1]

    expected, _ = run(checkpoint, tmp_path / "undisturbed")
    with monkeypatch.context() as patched:
        patched.setattr("bertsquad.training.loop.answer_loss", stop)
        with pytest.raises(Stopped) as stopped:
            run(checkpoint, tmp_path)
    assert stopped.value.steps > 0
    assert_same(run(checkpoint, tmp_path)[0], expected)


def test_a_state_of_other_hyperparameters_is_not_continued(checkpoint, tmp_path):
    run(checkpoint, tmp_path, checkpoint_steps=3)
    said = []
    other = dataclasses.replace(SETTINGS, learning_rate=2e-3, seed=5)
    _, log = run(checkpoint, tmp_path, other, announce=said.append)
    assert said == [
        f"{tmp_path / 'state.safetensors'} is of another training: hyperparameters.learning_rate, "
        "hyperparameters.seed differ; starting anew"
    ]
    assert log[0]["step"] == 1


# Bad input


def test_a_non_finite_loss_names_the_step_and_the_feature(checkpoint, tmp_path):
    features = training_features(vocab_size=63)
    features.context_ids[features.context_starts[17]] = 63
    model = load(checkpoint)
    with torch.no_grad():
        model.bert.embeddings.word_embeddings.weight[63] = torch.nan
    with pytest.raises(UserError) as error:
        train(model, features, SETTINGS, state=TrainingState(tmp_path, {}))
    message = str(error.value)
    assert "the loss is nan at step" in message
    assert "of 16, because of 1 of its 6 features: feature 17 (question 17)" in message


def test_training_that_diverges_says_so(checkpoint, tmp_path):
    model = load(checkpoint)
    with torch.no_grad():
        model.qa_outputs.weight[0, 0] = torch.inf
    with pytest.raises(UserError, match="at step 1 of 16, for each of its 6 features: the weights"):
        train(model, training_features(), SETTINGS, state=TrainingState(tmp_path, {}))


def test_a_non_finite_loss_leaves_the_last_good_state(checkpoint, tmp_path):
    model = load(checkpoint)

    def poison(line):
        if line["step"] == 4:
            model.qa_outputs.weight.data[0, 0] = torch.nan

    state = TrainingState(tmp_path, {})
    with pytest.raises(UserError, match="at step 5 of 16"):
        train(model, training_features(), SETTINGS, state=state, checkpoint_steps=3, on_step=poison)
    fresh = load(checkpoint)
    assert TrainingState(tmp_path, {}).path.is_file()
    log = train(fresh, training_features(), SETTINGS, state=state)
    assert len(log) == 16


def test_less_than_one_step_is_refused():
    few = dataclasses.replace(SETTINGS, epochs=0.2)
    with pytest.raises(UserError, match=r"0\.2 epochs of 24 examples in batches of 6 are less"):
        plan_steps(training_features(), few)


def test_zero_epochs_change_nothing(checkpoint, tmp_path):
    model = load(checkpoint)
    before = weights(model)
    none = dataclasses.replace(SETTINGS, epochs=0)
    assert train(model, training_features(), none, state=TrainingState(tmp_path, {})) == []
    assert_same(weights(model), before)


@pytest.mark.parametrize(("count_steps_by", "steps"), [("examples", 3), ("features", 4)])
def test_steps_are_counted_by_questions_or_by_windows(count_steps_by, steps):
    features = training_features()
    features.feature_question[:6] = 0  # six windows over one context
    hyperparameters = dataclasses.replace(SETTINGS, epochs=1, count_steps_by=count_steps_by)
    assert plan_steps(features, hyperparameters).total_steps == steps


# Ranks of the recipe


def test_four_ranks_that_split_the_data_train_as_one_process_does(checkpoint, tmp_path):
    four = dataclasses.replace(SETTINGS, batch_size=8, ranks=4)
    alone = dataclasses.replace(SETTINGS, batch_size=8)
    assert_same(run(checkpoint, tmp_path / "4", four)[0], run(checkpoint, tmp_path / "1", alone)[0])


def test_intels_ranks_train_fewer_steps_at_a_higher_rate(checkpoint, tmp_path):
    intel = dataclasses.replace(
        SETTINGS, batch_size=8, ranks=4, rank_data="same", rank_learning_rate="sqrt"
    )
    weights_, log = run(checkpoint, tmp_path / "intel", intel)
    assert len(log) == 24 // 2 * 4 // 4  # of 2 examples a rank; then divided by the ranks
    assert log[1]["learning_rate"] == 2 * 1e-3 * (1 - 1 / 12)
    split = dataclasses.replace(intel, rank_data="split")
    other, _ = run(checkpoint, tmp_path / "split", split)
    assert not torch.equal(weights_["qa_outputs.weight"], other["qa_outputs.weight"])


def test_independent_ranks_learn_from_a_quarter_of_each_batch(checkpoint, tmp_path):
    alone = dataclasses.replace(SETTINGS, batch_size=8, ranks=4, rank_gradients="independent")
    _, log = run(checkpoint, tmp_path, alone)
    assert {line["examples"] for line in log} == {2}
