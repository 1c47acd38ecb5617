"""The errors that end a run without a traceback."""

import re
from dataclasses import dataclass

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class CloseError(Exception):
    """The run cannot go on; nothing was changed.

    ``str(error)`` is one line for the person who can mend the input: it names the file, the
    export or row, and what was expected. Commands print it on stderr and exit with `exit_code`.
    """

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(_UNPRINTABLE.sub(" ", message).strip())


@dataclass(frozen=True)
class Obstacle:
    """Why a run would fail before it begins: what was found, and what to do about it."""

    finding: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.finding}: {self.remedy}"


class NotReadyError(CloseError):
    """An engine is not ready for a run, for the reason that `obstacle` gives."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(str(obstacle))
        self.obstacle = obstacle
