"""What a person sees on a terminal while work goes on, and what a log is spared."""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import click

from pool_recon.errors import CloseError
from pool_recon.progress import Progress

# A guess at the time left is worth showing once this much of a step is behind it.
_GUESS_AFTER_SHARE = 0.1
_GUESS_AFTER_SECONDS = 2.0

_CLEAR_LINE = "\r\x1b[K"

# Control characters, line ends and marks that turn the direction of text: an id can hold any.
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


# How stdout writes what its encoding lacks.
_ESCAPED = "pool_recon.escaped"


class NotPrintedError(CloseError):
    """What a command found cannot be written on stdout."""


def printable(value: object) -> str:
    """`value` as one line of text without anything that a terminal would act on."""
    return _UNPRINTABLE.sub("?", str(value))


def plural(count: int, noun: str) -> str:
    """`count` and its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def take_streams() -> None:
    """Make stdout and stderr ready for whatever is printed, wherever they lead.

    What is closed is quiet: else the next file that is opened takes its place, and is printed into.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest number that is free is given.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    codecs.register_error(_ESCAPED, _escaped)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=_ESCAPED)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Characters that an encoding lacks as JSON writes them, so that an object stays one."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def say(lines: Sequence[str]) -> None:
    """Print lines on stdout; raises NotPrintedError where that cannot be written."""
    with _written():
        click.echo("\n".join(lines))


def say_parts(parts: Iterable[str]) -> None:
    """Print on stdout what is too large to be put together first, as it comes.

    Raises NotPrintedError where that cannot be written.
    """
    stream = click.get_text_stream("stdout")
    with _written():
        for part in parts:
            stream.write(part)
        stream.flush()


@contextmanager
def _written() -> Iterator[None]:
    """Take it for no error that nobody reads to the end what is printed on stdout."""
    try:
        yield
    except BrokenPipeError:
        # Whoever reads has stopped; the verdict is in the exit code all the same.
        _forsake(sys.stdout)
    except OSError as error:
        _forsake(sys.stdout)
        reason = error.strerror or error
        raise NotPrintedError(f"stdout cannot be written: {reason}") from error


@contextmanager
def told_anyway(done: str) -> Iterator[None]:
    """Say on stderr what is done, where the summary of it cannot be printed."""
    try:
        yield
    except NotPrintedError as error:
        complain(f"pool-recon: {printable(done)}, but the summary is not printed: {error}")


def complain(text: str, *, ends_line: bool = True) -> None:
    """Print on stderr; where that cannot be written, the exit code has to do."""
    try:
        click.echo(text, nl=ends_line, err=True)
    except OSError:
        _forsake(sys.stderr)


def _forsake(stream: TextIO) -> None:
    """Let what a stream did not take go nowhere; else Python tries again as it ends, and fails."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def colours() -> bool | None:
    """Whether the environment wants colours; None leaves it to whether there is a terminal.

    NO_COLOR wins over FORCE_COLOR; each counts where it is set and not empty.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return False if os.environ.get("TERM") == "dumb" else None


def width() -> int:
    """How many columns the text on stdout may have; 100 where there is no terminal."""
    columns = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
    return max(columns, 60)


@contextmanager
def progress(*, is_quiet: bool = False) -> Iterator[Progress]:
    """Yield what shows how the work goes: one line that changes on a terminal, nothing in a log."""
    if is_quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield Progress()
        return
    line = ProgressLine()
    try:
        with line.ticking():
            yield line
    finally:
        complain(_CLEAR_LINE, ends_line=False)


class ProgressLine(Progress):
    """Shows on stderr the phase, the share done, what runs now and the time left, on one line."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._phase = ""
        self._step: tuple[str, int, int, str] | None = None
        self._steps_began = self._began
        self._lock = threading.Lock()

    def __call__(self, phase: str) -> None:
        """Show a new phase."""
        with self._lock:
            self._phase, self._step = phase, None
        self.show()

    def step(self, doing: str, done: int, total: int, counted: str = "") -> None:
        """Show how far the phase is."""
        with self._lock:
            if self._step is None:
                self._steps_began = time.monotonic()
            self._step = (doing, done, total, counted)
        self.show()

    def show(self) -> None:
        """Write the line anew."""
        columns = shutil.get_terminal_size((80, 24)).columns
        with self._lock:
            text = self.text(time.monotonic())[: columns - 1]
            complain(f"{_CLEAR_LINE}{text}", ends_line=False)

    def text(self, now: float) -> str:
        """The line at the moment `now` of the monotonic clock."""
        parts = [f"{now - self._began:5.0f} s  {self._phase}"]
        if self._step:
            doing, done, total, counted = self._step
            if counted:
                parts.append(f"{done:,} of {total:,} {counted}")
            elif total:
                parts.append(f"{done * 100 // total} %")
            left = _left(done, total, now - self._steps_began)
            if left:
                parts.append(left)
            if doing:
                parts.append(printable(doing))
        return ", ".join(parts)

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Let the clock of the line go on while one step takes long."""
        stopped = threading.Event()

        def tick() -> None:
            while not stopped.wait(1):
                self.show()

        ticker = threading.Thread(target=tick, daemon=True)
        ticker.start()
        try:
            yield
        finally:
            stopped.set()
            ticker.join()


def _left(done: int, total: int, seconds: float) -> str:
    """About how long the step still takes, empty where it is too early to say."""
    if not total or done < total * _GUESS_AFTER_SHARE or seconds < _GUESS_AFTER_SECONDS:
        return ""
    left = seconds * (total - done) / done
    if left < 1:
        return ""
    return f"about {left:.0f} s left" if left < 90 else f"about {left / 60:.0f} min left"
