"""The process that draws: the same as is drawn here, and nothing is missing without it."""

from __future__ import annotations

import signal
import subprocess

import pytest

from pool_recon import drawing
from pool_recon.drawing import draw, drawn_beside
from tests.integration.test_second_reader import is_there
from tests.integration.test_second_reader import processes as processes

SPEC = {
    "data": {"values": [{"day": "2026-06-30", "count": 2}, {"day": "2026-07-01", "count": 3.25}]},
    "mark": {"type": "text", "text": "\u2212 caf\u00e9 \U0001f4b6"},
    "encoding": {
        "x": {"field": "day", "type": "nominal", "axis": None},
        "y": {"field": "count", "type": "quantitative", "axis": None},
    },
}


def test_a_drawing_is_the_same_as_here(
    processes: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = draw(SPEC)
    assert here.count("caf\u00e9") == 2
    # Nothing is drawn here from now on.
    monkeypatch.setattr(drawing, "draw", None)
    with drawn_beside() as draw_there:
        (process,) = processes
        assert [draw_there(SPEC) for _ in range(3)] == [here] * 3
    assert not is_there(process.pid)


def test_what_was_killed_is_drawn_here(processes: list[subprocess.Popen[bytes]]) -> None:
    with drawn_beside() as draw_there:
        processes[0].send_signal(signal.SIGKILL)
        processes[0].wait()
        assert [draw_there(SPEC) for _ in range(2)] == [draw(SPEC)] * 2


def test_what_cannot_be_drawn_says_so_as_here() -> None:
    unknown = {**SPEC, "mark": "squiggle"}
    with pytest.raises(ValueError, match=r"\S") as here:
        draw(unknown)
    with drawn_beside() as draw_there, pytest.raises(ValueError, match=r"\S") as there:
        draw_there(unknown)
    assert str(there.value) == str(here.value)
