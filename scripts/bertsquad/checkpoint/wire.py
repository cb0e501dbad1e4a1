"""Variable-length integers and the protocol buffer wire format, as far as checkpoints need them."""

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class MalformedError(ValueError):
    """Bytes that cannot be what they should be; the caller names the file to the user."""


def encode_varint(value: int) -> bytes:
    """A non-negative integer in base 128, least significant group first."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def decode_varint(data: bytes, position: int) -> tuple[int, int]:
    """The integer (below 2**64) at `position`, and the position after it."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise MalformedError("a number is cut off")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
    raise MalformedError("a number has more than ten bytes")


def decode_fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(field number, value) of a message in wire order; nested messages and text are bytes."""
    position = 0
    while position < len(message):
        tag, position = decode_varint(message, position)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, position = decode_varint(message, position)
            yield number, value
            continue
        if kind == BYTES:
            size, position = decode_varint(message, position)
        elif kind in (FIXED32, FIXED64):
            size = 4 if kind == FIXED32 else 8
        else:
            raise MalformedError(f"field {number} has the unknown wire type {kind}")
        raw = message[position : position + size]
        if len(raw) != size:
            raise MalformedError(f"field {number} is cut off")
        position += size
        yield number, raw if kind == BYTES else int.from_bytes(raw, "little")


def encode_field(number: int, value: int | bytes, *, fixed32: bool = False) -> bytes:
    """One field of a message. As in proto3, the integer 0 is the default and is left out."""
    if isinstance(value, bytes):
        return encode_varint(number << 3 | BYTES) + encode_varint(len(value)) + value
    if value == 0:
        return b""
    if fixed32:
        return encode_varint(number << 3 | FIXED32) + value.to_bytes(4, "little")
    return encode_varint(number << 3 | VARINT) + encode_varint(value)
