"""What is trimmed off the ends of a value: ASCII white space, and no other."""

from typing import Final

BLANK: Final = " \t\n\r\v\f"
