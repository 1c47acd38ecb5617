"""Serves the dashboard to this machine alone."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

from pool_recon.errors import CloseError

HOST = "127.0.0.1"


def dashboard(
    warehouse: Path, package: Path | None, port: int, announce: Callable[[str], None]
) -> None:
    """Serve the dashboard of `warehouse` on the loopback address until it is interrupted.

    `package` is the close package whose verdict counts, None the one beside the warehouse; with
    `port` 0 the system chooses one. `announce` is called with the address once it answers.

    Raises:
        CloseError: the extra is not installed, the port is taken, or no close can be read.
    """
    try:
        import uvicorn

        from pool_recon.dashboard.app import application
        from pool_recon.dashboard.data import Source
    except ModuleNotFoundError as error:
        if error.name not in {"starlette", "uvicorn"}:
            raise
        raise CloseError(
            f"the dashboard needs {error.name}, which is not installed: "
            "run pip install 'pool-recon[dashboard]'"
        ) from error
    source = Source(warehouse, package)
    # The summary of a close with very many exceptions takes seconds: no page should wait for it.
    with source.opened():
        pass
    with contextlib.closing(_listening(port)) as listener:
        server = uvicorn.Server(
            uvicorn.Config(
                application(source),
                log_level="error",
                access_log=False,
                server_header=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=1,
            )
        )
        announce(f"http://{HOST}:{listener.getsockname()[1]}/")
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def _listening(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        # From here on a browser that is quicker than the server waits for it.
        listener.listen()
    except OSError as error:
        listener.close()
        raise CloseError(
            f"the dashboard cannot listen on port {port} ({error.strerror}): give another --port"
        ) from error
    return listener
