"""The model equals transformers' BertForQuestionAnswering, packed and padded."""

import pytest
import torch

from bertsquad.data.batching import pack
from bertsquad.model import folder as model_folder
from tiny_bert import padded, random_batch, transformers_twin, write_model_folder

LENGTHS = [7, 1, 12, 12, 40, 3]
MAX_SEQ_LENGTH = 40


@pytest.fixture(params=["gelu", "gelu_new", "gelu_pytorch_tanh"])
def folder(tmp_path, request):
    return write_model_folder(tmp_path / "checkpoint", hidden_act=request.param)


def test_packed_logits_equal_those_of_transformers(folder):
    model = model_folder.load(folder, head="normal").eval()
    twin = transformers_twin(folder, model).eval()
    batch = random_batch(LENGTHS)
    input_ids, input_mask, segment_ids = padded(batch, MAX_SEQ_LENGTH)
    with torch.no_grad():
        start, end = model(batch)
        expected = twin(input_ids, attention_mask=input_mask, token_type_ids=segment_ids)
    real = input_mask.bool()
    assert start.dtype == end.dtype == torch.float32
    torch.testing.assert_close(start, expected.start_logits[real], atol=2e-6, rtol=1e-5)
    torch.testing.assert_close(end, expected.end_logits[real], atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("lengths", [[5], [1, 1], [8, 8, 8], [3, 8, 8, 3]])
def test_a_sequence_does_not_see_its_neighbours(tmp_path, lengths):
    model = model_folder.load(write_model_folder(tmp_path), head="normal").eval()
    batch = random_batch(lengths)
    with torch.no_grad():
        together = model(batch)[0]
        alone = [
            model(pack([batch.input_ids[a:b]], [batch.segments[a:b]]))[0]
            for a, b in zip(batch.starts[:-1], batch.starts[1:], strict=True)
        ]
    torch.testing.assert_close(together, torch.cat(alone))


def test_bf16_logits_are_close_to_fp32(tmp_path):
    model = model_folder.load(write_model_folder(tmp_path), head="nsp").eval()
    batch = random_batch(LENGTHS)
    with torch.no_grad():
        exact = torch.stack(model(batch))
        model.precision = "bf16"
        rounded = torch.stack(model(batch))
    assert rounded.dtype == torch.float32
    assert 0 < (rounded - exact).abs().max() < 0.05 * exact.std()


def test_the_training_form_without_dropout_gives_the_same_logits(tmp_path):
    model = model_folder.load(write_model_folder(tmp_path), head="nsp")
    batch = random_batch(LENGTHS)
    training = torch.stack(model(batch))
    model.eval()
    torch.testing.assert_close(training, torch.stack(model(batch)), atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", ["hidden_dropout_prob", "attention_probs_dropout_prob"])
def test_dropout_follows_its_seed_words_in_training_alone(tmp_path, kind):
    model = model_folder.load(write_model_folder(tmp_path, **{kind: 0.3}), head="nsp")
    batch = random_batch(LENGTHS)
    with torch.no_grad():
        first, again, other = (torch.stack(model(batch, [1, n])) for n in (2, 2, 3))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)
        model.eval()
        assert torch.equal(*(torch.stack(model(batch, [1, n])) for n in (2, 3)))
