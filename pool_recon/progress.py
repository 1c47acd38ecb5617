"""How long work tells what it does, without knowing who listens."""

from __future__ import annotations


class Progress:
    """Hears how long work goes on; this one keeps it to itself."""

    def __call__(self, phase: str) -> None:
        """A new phase begins: a few words, such as `writing the package`."""

    def step(self, doing: str, done: int, total: int, counted: str = "") -> None:
        """Within the phase: what runs now, and how much of it all is done.

        `done` and `total` count what `counted` names, such as models; without a name they are a
        measure of the work, such as bytes, of which only the share is worth showing.
        """
