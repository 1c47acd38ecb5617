"""Secrets: credentials that a partner's export must not contain, masked before anything is stored.

A secret is one of three prefixes and at least eight letters, digits or underscores. Its masked
form keeps the prefix, so that a reader knows what to rotate: ``whsec_***``.
"""

import re
from typing import Final

PREFIXES: Final = ("sk_live_", "sk_test_", "whsec_")
PATTERN: Final = "(" + "|".join(PREFIXES) + ")[A-Za-z0-9_]{8,}"
MASK: Final = "***"
REPLACEMENT: Final = rf"\1{MASK}"

_SECRET = re.compile(PATTERN)


def _spelled(character: str) -> str:
    """Return a pattern of an ASCII character as itself or as a JSON escape."""
    escape = "".join(
        f"[{digit.lower()}{digit.upper()}]" if digit.isalpha() else digit
        for digit in f"{ord(character):02x}"
    )
    return rf"(?:{character}|\\u00{escape})"


# The ranges are those of 0-9, A-Z, _ and a-z as the last two digits of an escape.
_BODY_ESCAPE = r"\\u00(?:3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aA])"
_ESCAPED_SECRETS = tuple(
    (
        prefix,
        re.compile("".join(map(_spelled, prefix)) + rf"(?:[A-Za-z0-9_]|{_BODY_ESCAPE}){{8,}}"),
    )
    for prefix in PREFIXES
)


def has_secret(text: str) -> bool:
    """Tell whether `text` contains a secret."""
    return _SECRET.search(text) is not None


def mask(text: str) -> str:
    """Return `text` with every secret replaced by its prefix and ``***``."""
    return _SECRET.sub(REPLACEMENT, text)


def is_masked(text: str) -> bool:
    """Tell whether `text` looks as if `mask` had replaced something in it."""
    return any(prefix + MASK in text for prefix in PREFIXES)


def mask_json(text: str) -> str:
    """Return undecoded JSON `text` masked, also where an escape of a letter hides a secret."""
    for prefix, pattern in _ESCAPED_SECRETS:
        text = pattern.sub(prefix + MASK, text)
    return text
