"""How often Python looks for garbage while a close runs, and afterwards."""

from __future__ import annotations

import gc

from pool_recon.garbage import rarely_collected


def test_nothing_is_looked_at_again_and_again() -> None:
    looked: list[int] = []
    before = gc.get_threshold()
    gc.callbacks.append(lambda _, info: looked.append(info["generation"]))
    try:
        with rarely_collected():
            assert gc.get_threshold() != before
            # Many more than what is usually looked at.
            kept = [[number] for number in range(50_000)]
        kept += [[number] for number in range(10)]
        assert looked == []
    finally:
        gc.callbacks.pop()
    assert gc.get_threshold() == before


def test_what_was_frozen_stays_frozen() -> None:
    gc.freeze()
    try:
        with rarely_collected():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_what_was_looked_at_rarely_can_still_be_found() -> None:
    class Loop:
        def __init__(self) -> None:
            self.itself = self

    with rarely_collected():
        Loop()
    assert any(isinstance(found, Loop) for found in gc.get_objects())
    gc.collect()
    assert not any(isinstance(found, Loop) for found in gc.get_objects())
