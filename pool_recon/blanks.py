"""What is trimmed off the ends of a value, and what of a name does not tell two people apart."""

from typing import Final

# ASCII white space, and no other.
BLANK: Final = " \t\n\r\v\f"


def with_single_blanks(text: str) -> str:
    """Return the text with one blank for every run of white space, and none around it.

    Here white space is that of Unicode, a no-break space for one.
    """
    return " ".join(text.split())
