"""What stands in backticks in a sentence, a command or a file, as code on the page."""

import re

from markupsafe import Markup, escape


def code(text: str | Markup) -> Markup:
    """The text with `...` as <code>; all else is escaped, unless it is markup already."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
