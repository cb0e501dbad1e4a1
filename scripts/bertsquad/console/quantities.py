"""Bytes and seconds as people read them."""


def readable_bytes(count: float) -> str:
    """`1.25 GB`, `30.3 MB`, `3.42 kB`, `17 bytes`: decimal units, as on the web."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            number = count / factor
            return f"{number:.3g} {unit}" if number < 999.5 else f"{number:,.0f} {unit}"
    return f"{count:.0f} bytes"


def duration(seconds: float) -> str:
    """`0.4 s`, `50 s`, `3 min 20 s`, `7 h`, `2 d 3 h`: the two largest units, without zeros; tenths
    below ten seconds."""
    if 0 < seconds < 9.95 and round(seconds, 1) % 1:
        return f"{seconds:.1f} s"
    parts = [("d", 86400), ("h", 3600), ("min", 60), ("s", 1)]
    rest = round(seconds)
    counts: list[tuple[int, str]] = []
    for unit, size in parts:
        count, rest = divmod(rest, size)
        if count or counts or unit == "s":
            counts.append((count, unit))
    texts = [f"{count} {unit}" for count, unit in counts[:2] if count]
    return " ".join(texts) or "0 s"
