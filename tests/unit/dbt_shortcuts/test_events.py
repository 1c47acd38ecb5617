"""dbt says what is heard, and makes no message of anything else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from dbt_common.events.base_types import BaseEvent, EventLevel
from dbt_common.events.event_manager_client import get_event_manager
from dbt_common.events.functions import fire_event
from dbt_common.events.types import Note

from pool_recon.dbt_shortcuts.events import only_what_is_heard

LOG: Any = SimpleNamespace(filter=lambda _: True, write_line=lambda _: None)


def test_what_is_heard_is_said_and_nothing_else() -> None:
    heard: list[str] = []
    with only_what_is_heard():
        manager = get_event_manager()
        manager.callbacks.append(lambda event: heard.append(event.info.msg))
        fire_event(Note(msg="small talk"))
        assert heard == []
        fire_event(Note(msg="a warning"), level=EventLevel.WARN)
        assert heard == ["a warning"]
        manager.loggers.append(LOG)
        fire_event(Note(msg="for the log"))
        assert heard == ["a warning", "for the log"]
    assert get_event_manager() is not manager


def test_a_message_is_made_when_it_is_asked_for() -> None:
    before = BaseEvent.__init__
    with only_what_is_heard():
        note = Note(msg="a")
        assert "pb_msg" not in vars(note)
        assert note.message() == "a"
        changed = Note(msg="b")
        changed.msg = "c"
        assert changed.to_dict() == {"msg": "c"}
        with pytest.raises(AttributeError):
            note.nothing_like_it  # noqa: B018
    assert BaseEvent.__init__ is before
    assert "pb_msg" in vars(Note(msg="d"))
