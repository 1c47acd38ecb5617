"""What happens when the program is asked to stop: by Ctrl-C, or by a scheduler with SIGTERM.

Both end what is under way as an error does, so that everything is tidied up. Once a close is being
published it is too late for that: the request then waits until what was published is in hand.
"""

from __future__ import annotations

import atexit
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from types import FrameType
from typing import Any

_REQUESTS = (signal.SIGINT, signal.SIGTERM)
_UNTOUCHED = (signal.SIG_DFL, signal.default_int_handler)

_heard: list[int] = []
_until_in_hand: ContextVar[contextlib.ExitStack | None] = ContextVar("_until_in_hand", default=None)


@contextlib.contextmanager
def listening() -> Iterator[None]:
    """Let SIGTERM interrupt as Ctrl-C does, and remember which of the two it was.

    What whoever started the program has ignored stays so. Other programs that are started from
    here do not inherit it.
    """
    _heard.clear()
    requests = [each for each in _REQUESTS if signal.getsignal(each) in _UNTOUCHED]
    with _handled(requests, _interrupt):
        yield


def unheeded_at_exit() -> None:
    """Ignore requests to stop while Python ends: what was done is told by the exit code by then."""

    def ignore() -> None:
        for request in _REQUESTS:
            signal.signal(request, signal.SIG_IGN)

    atexit.register(ignore)


def heard() -> int | None:
    """The first signal that asked the program to stop; None where there was none.

    Libraries make errors of their own out of an interruption.
    """
    return _heard[0] if _heard else None


class Interrupted(KeyboardInterrupt):
    """What a request to stop raises.

    Where KeyboardInterrupt itself leaves code that is run from a text, as libraries do when they
    are imported, Python ends with SIGINT later on, though it was caught.
    """


class Waiting:
    """A request to stop that had to wait."""

    def obey(self) -> None:
        """Raise Interrupted where there was one."""
        if _heard:
            raise Interrupted


@contextlib.contextmanager
def until_in_hand() -> Iterator[Waiting]:
    """Let requests to stop that come after `held` was left without an error wait for the end."""
    with contextlib.ExitStack() as rest:
        token = _until_in_hand.set(rest)
        rest.callback(_until_in_hand.reset, token)
        yield Waiting()


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Let requests to stop wait for what is done here, and within `until_in_hand` for its end too.

    An error meanwhile is told as what it is, and not as the request that waited.
    """
    before = len(_heard)

    def forget(error: object, *_: object) -> None:
        if error is not None:
            del _heard[before:]

    with contextlib.ExitStack() as own:
        own.push(forget)
        requests = [each for each in _REQUESTS if signal.getsignal(each) is not signal.SIG_IGN]
        own.enter_context(_handled(requests, _remember))
        yield
        rest = _until_in_hand.get()
        if rest is not None:
            rest.push(own.pop_all())
    if rest is None and len(_heard) > before:
        raise Interrupted


def _remember(number: int, _frame: FrameType | None) -> None:
    _heard.append(number)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _remember(number, frame)
    raise Interrupted


@contextlib.contextmanager
def _handled(
    requests: Sequence[signal.Signals], handler: Callable[[int, FrameType | None], Any]
) -> Iterator[None]:
    # Python lets only the main thread say what a signal does.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with contextlib.ExitStack() as restored:
        for request in requests:
            restored.callback(signal.signal, request, signal.signal(request, handler))
        yield
