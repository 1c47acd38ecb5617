"""Vega-Lite, here or in a process of its own, which gets ready while the figures are put together.

Its interpreter takes half a second to start, in which nothing else of the program that starts it
runs: a tenth of a small close.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from pool_recon.other_process import started

Spec = dict[str, Any]
Draw = Callable[[Spec], str]

# A release of the library brings several of these; only one gives the same bytes.
_VEGA_LITE = "6.4"
_NOTHING: Spec = {"data": {"values": []}, "mark": "bar"}


def draw(spec: Spec) -> str:
    """What `spec` describes in the terms of Vega-Lite, as SVG. Raises ValueError."""
    from vl_convert import vegalite_to_svg

    # Nothing in it asks for a file or an address, and none is allowed.
    return str(vegalite_to_svg(spec, vl_version=_VEGA_LITE, allowed_base_urls=[]))


@contextlib.contextmanager
def drawn_beside() -> Iterator[Draw]:
    """Yield what does the same as `draw` in another process that starts now.

    What that process does not answer is drawn here. It is gone when the context is left, and ends
    by itself as soon as the pipe to it is closed, however that came about.
    """
    with started(__name__) as process:

        def draw_there(spec: Spec) -> str:
            assert process.stdin is not None
            assert process.stdout is not None
            with contextlib.suppress(OSError, ValueError):
                process.stdin.write(f"{json.dumps(spec)}\n".encode())
                process.stdin.flush()
                return str(json.loads(process.stdout.readline()))
            return draw(spec)

        yield draw_there


def main() -> None:
    """Get ready, then answer each line on stdin, a specification, with one on stdout, an SVG."""
    draw(_NOTHING)
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(f"{json.dumps(draw(json.loads(line)))}\n".encode())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
