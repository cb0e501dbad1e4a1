"""Rows of a table: its gradient is that of PyTorch's, added to what was there."""

import torch
import torch.nn.functional as F

from bertsquad.model.operations.embedding import embedding


def test_gradients_are_added_to_the_rows_taken():
    ours, theirs = (torch.nn.Parameter(torch.arange(30.0).view(10, 3)) for _ in range(2))
    told = []
    ours.register_post_accumulate_grad_hook(lambda p: told.append(p))
    for ids in (torch.tensor([1, 4, 4, 9]), torch.tensor([4, 0])):
        weights = torch.randn(len(ids), 3)
        found, expected = embedding(ours, ids), F.embedding(ids, theirs)
        assert torch.equal(found, expected)
        (found * weights).sum().backward()
        (expected * weights).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)
    assert len(told) == 2
