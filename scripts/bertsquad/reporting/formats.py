"""Numbers as a reader wants them: few digits, thousands apart."""

import math


def short(value: float) -> str:
    """Three significant digits, never fewer than the whole part: 0.0123, 1.23, 12.3, 123, 1,235."""
    value = float(value)
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    if float(text.replace(",", "")) >= 10 ** (3 - decimals) and decimals:
        text = f"{value:,.{decimals - 1}f}"  # 9.999 rounds to 10.0, not 10.00
    return text


def tiny(value: float) -> str:
    """As `short`, but below a thousandth by its power of ten: 3.1e-5."""
    if not 0 < abs(value) < 1e-3:
        return short(value)
    digits, _, exponent = f"{value:.1e}".partition("e")
    return f"{digits}e{int(exponent)}"


def score(value: float) -> str:
    """Exact match or F1 in percent: 95.03, the same two decimals wherever it is said."""
    return f"{float(value):.2f}"


def whole(value: float) -> str:
    """A count: 10,833."""
    return f"{round(float(value)):,}"


def mebibytes(count: float) -> str:
    """MiB, or GiB from 10 of them on."""
    count = float(count)
    return f"{count / 1024:.1f} GiB" if count >= 10240 else f"{whole(count)} MiB"


def percent(share: float) -> str:
    """A share in whole per cent: 0.854 is 85 %."""
    return f"{100 * float(share):.0f} %"
