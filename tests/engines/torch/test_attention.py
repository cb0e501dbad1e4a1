"""Every form of attention gives, for any lengths, what the formula says."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsquad.engines.torch import attention
from bertsquad.model.bert import Sequences
from bertsquad.model.matmul import bf16_native

HEADS = 2
PLAIN = {"sdpa": attention.sdpa, "products": attention.products, "emulated": attention.emulated}
# BF16 keeps 8 bits, and rounds scores, shares and the result: of size 1 all.
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 0.03}


FORMS = [
    *((name, dtype, 32) for name in ("sdpa", "products") for dtype in TOLERANCE),
    ("emulated", torch.bfloat16, 32),
    *(("compiled", dtype, size) for dtype in TOLERANCE for size in (32, 64)),
]


def form_named(name, dtype, size):
    if name in PLAIN:
        return attention.ByRuns(name, PLAIN[name])
    form = attention.form_of(dtype, size)
    if form.name != "compiled":
        pytest.skip("no compiled kernel here")
    return form


def drawn(tokens, size, dtype):
    return torch.randn(tokens, 3 * HEADS * size, generator=torch.manual_seed(0)).to(dtype)


def by_formula(projected, lengths):
    """softmax(q k' / sqrt(d)) v of each sequence in float32: [T, H]."""
    attended = []
    for rows in projected.float().split(lengths):
        query, key, value = rows.view(len(rows), 3, HEADS, -1).permute(1, 2, 0, 3)
        shares = (query @ key.mT / query.shape[-1] ** 0.5).softmax(-1)
        attended.append((shares @ value).transpose(0, 1).flatten(1))
    return torch.cat(attended)


@pytest.mark.parametrize(("name", "dtype", "size"), FORMS)
def test_any_packed_lengths(name, dtype, size):
    form = form_named(name, dtype, size)

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.integers(1, 70), min_size=1, max_size=8))
    def close(lengths):
        projected = drawn(sum(lengths), size, dtype)
        found = form.within(Sequences.packed(lengths), HEADS)(projected)
        assert found.dtype == dtype
        torch.testing.assert_close(
            found.float(), by_formula(projected, lengths), atol=TOLERANCE[dtype], rtol=0
        )

    close()


@pytest.mark.parametrize(("name", "dtype", "size"), FORMS)
@pytest.mark.parametrize("longest", [16, 37])
def test_padding_is_not_attended_to(name, dtype, size, longest):
    form = form_named(name, dtype, size)
    lengths = [longest, 5, 1]
    projected = drawn(3 * longest, size, dtype)
    mask = torch.arange(longest) < torch.tensor(lengths)[:, None]
    found = form.within(Sequences.padded(3, longest, mask), HEADS)(projected)
    real = projected[mask.flatten()]
    torch.testing.assert_close(
        found[mask.flatten()].float(), by_formula(real, lengths), atol=TOLERANCE[dtype], rtol=0
    )


@pytest.mark.parametrize("size", [8, 32, 64])
def test_without_kernels_it_is_pytorchs_operations(monkeypatch, size):
    monkeypatch.setenv("BERTSQUAD_KERNELS", "off")
    assert attention.form_of(torch.float32, size).name == "sdpa"
    assert attention.form_of(torch.bfloat16, size).name == (
        "products" if bf16_native() else "emulated"
    )


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_a_head_that_no_kernel_is_made_for(dtype):
    assert attention.form_of(dtype, 8).name != "compiled"
