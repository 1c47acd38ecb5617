"""What dbt says while it runs, without what nobody hears."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from dbt_common.events.base_types import BaseEvent, EventLevel
from dbt_common.events.event_manager import EventManager
from dbt_common.events.event_manager_client import ctx_set_event_manager, get_event_manager

# Those that tell how far a build is.
HEARD = frozenset({"ConcurrencyLine", "NodeStart", "NodeFinished"})
_MESSAGE = "pb_msg"
_SAID_WITH = "said_with"


class _Heard(EventManager):
    """Makes messages only of what is heard.

    dbt makes one of each of the thirty events of a node, with or without a log to write it to,
    and that takes a tenth of a small build.
    """

    def fire_event(
        self,
        e: BaseEvent,
        level: EventLevel | None = None,
        node: Any = None,
        force_warn_or_error_handling: bool = False,
    ) -> None:
        """Pass on what is written to a log, is a warning or an error, or is listened to."""
        is_small_talk = (level or e.level_tag()) in {EventLevel.DEBUG, EventLevel.INFO}
        if is_small_talk and not self.loggers and type(e).__name__ not in HEARD:
            return
        super().fire_event(e, level, node, force_warn_or_error_handling)


@contextlib.contextmanager
def only_what_is_heard() -> Iterator[None]:
    """Let dbt say only what a log or a listener of this project takes in."""
    before = get_event_manager()
    ctx_set_event_manager(_Heard())
    try:
        with _worded_when_asked():
            yield
    finally:
        ctx_set_event_manager(before)


@contextlib.contextmanager
def _worded_when_asked() -> Iterator[None]:
    """Let an event make its message when it is first asked for it, and not when it happens."""
    event: Any = BaseEvent
    worded, asked, changed = event.__init__, event.__getattr__, event.__setattr__

    def happen(self: BaseEvent, *arguments: Any, **options: Any) -> None:
        self.__dict__[_SAID_WITH] = (arguments, options)

    def ask(self: BaseEvent, name: str) -> Any:
        if name == _MESSAGE and _SAID_WITH in self.__dict__:
            arguments, options = self.__dict__.pop(_SAID_WITH)
            worded(self, *arguments, **options)
        elif _MESSAGE not in self.__dict__:
            ask(self, _MESSAGE)
        return asked(self, name)

    def change(self: BaseEvent, name: str, value: Any) -> None:
        if name != _MESSAGE and _MESSAGE not in self.__dict__:
            ask(self, _MESSAGE)
        changed(self, name, value)

    event.__init__, event.__getattr__, event.__setattr__ = happen, ask, change
    try:
        yield
    finally:
        event.__init__, event.__getattr__, event.__setattr__ = worded, asked, changed
