"""The error that ends a run without a traceback."""

import re

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class CloseError(Exception):
    """The run cannot go on; nothing was changed.

    ``str(error)`` is one line for the person who can mend the input: it names the file, the
    export or row, and what was expected. Commands print it on stderr and exit with `exit_code`.
    """

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(_UNPRINTABLE.sub(" ", message).strip())
