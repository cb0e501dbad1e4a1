"""Variable-length integers and the protocol buffer wire format."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.checkpoint.wire import (
    MalformedError,
    decode_fields,
    decode_varint,
    encode_field,
    encode_varint,
)


def test_the_documentation_s_example() -> None:
    # protobuf.dev/programming-guides/encoding: message Test1 { int32 a = 1; } with a = 150.
    assert encode_field(1, 150) == b"\x08\x96\x01"
    assert list(decode_fields(b"\x08\x96\x01")) == [(1, 150)]


@given(st.integers(0, 2**64 - 1), st.binary(max_size=3))
def test_any_integer_survives(value: int, before: bytes) -> None:
    data = before + encode_varint(value)
    assert decode_varint(data, len(before)) == (value, len(data))


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (b"\x08", "a number is cut off"),
        (b"\x08\x80", "a number is cut off"),
        (b"\x08" + b"\x80" * 10 + b"\x01", "more than ten bytes"),
        (b"\x12\x05abc", "field 2 is cut off"),
        (b"\x35\x01\x02\x03", "field 6 is cut off"),
        (b"\x0b", "unknown wire type 3"),
    ],
)
def test_malformed_messages_are_refused(message: bytes, problem: str) -> None:
    with pytest.raises(MalformedError, match=problem):
        list(decode_fields(message))


@given(st.binary(max_size=30))
def test_any_bytes_decode_or_are_refused(message: bytes) -> None:
    with contextlib.suppress(MalformedError):
        list(decode_fields(message))
