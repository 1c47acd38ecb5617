"""Tells a command or a URL how a close ended. A hook that fails is reported and changes nothing.

What is printed about a hook never has more of it than the program's name, or the scheme and host
of the URL: paths, queries and user names of such URLs are often secrets.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from pool_recon.summary import BLOCKED, CLOSED, COULD_NOT_RUN

if TYPE_CHECKING:
    from urllib.request import Request

# After which outcomes a notification goes out.
OCCASIONS: Mapping[str, frozenset[str]] = {
    "blocked": frozenset({BLOCKED}),
    "failure": frozenset({BLOCKED, COULD_NOT_RUN}),
    "always": frozenset({BLOCKED, COULD_NOT_RUN, CLOSED}),
}

COMMAND_VARIABLE = "POOL_RECON_NOTIFY_COMMAND"
URL_VARIABLE = "POOL_RECON_NOTIFY_URL"


class HookError(Exception):
    """The hook did not do what it should; ``str(error)`` says why and holds no secret."""


@dataclass(frozen=True)
class Hook:
    """Where a notification goes, and how; `program` is what a command runs, without a shell."""

    name: str
    send: Callable[[bytes, float], None]
    program: str | None = None


@dataclass(frozen=True)
class Notifier:
    """Which hooks are told, after which outcomes, and how many seconds each of them has."""

    hooks: Sequence[Hook]
    occasions: frozenset[str]
    timeout: float

    def notify(self, summary: Mapping[str, Any]) -> list[str]:
        """Tell every hook; return a line for each that failed."""
        if summary["outcome"] not in self.occasions:
            return []
        content = json.dumps(summary, ensure_ascii=False).encode("utf-8", "replace")
        failures = []
        for hook in self.hooks:
            try:
                hook.send(content, self.timeout)
            except HookError as error:
                failures.append(f"notification not sent: {hook.name}: {error}")
        return failures


def hooks(targets: Sequence[str]) -> list[Hook]:
    """The hooks that are asked for: those given, else those of the environment.

    A target that begins with http:// or https:// is a URL, any other a command. Raises ValueError
    with a reason that holds nothing of the target.
    """
    if targets:
        return [_url_hook(t) if _is_url(t) else _command_hook(t) for t in targets]
    found = []
    if command := os.environ.get(COMMAND_VARIABLE):
        found.append(_named(COMMAND_VARIABLE, _command_hook, command))
    if url := os.environ.get(URL_VARIABLE):
        found.append(_named(URL_VARIABLE, _url_hook, url))
    return found


def _named(variable: str, make: Callable[[str], Hook], target: str) -> Hook:
    try:
        return make(target)
    except ValueError as error:
        raise ValueError(f"{variable}: {error}") from None


def _is_url(target: str) -> bool:
    return target.lower().startswith(("http://", "https://"))


def _command_hook(target: str) -> Hook:
    try:
        words = shlex.split(target)
    except ValueError:
        raise ValueError("the command has a quote that is never closed") from None
    if not words:
        raise ValueError("the command is empty")
    name = PurePath(words[0]).name
    return Hook(
        f"the command {name}",
        lambda content, timeout: _run_command(words, content, timeout),
        words[0],
    )


def _run_command(words: Sequence[str], content: bytes, timeout: float) -> None:
    try:
        # A session of its own, so that whatever it started can be ended with it.
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise HookError(f"cannot be started ({reason or 'not a usable command'})") from None
    try:
        # A command need not read what it is told: a pipe that it closes is no failure.
        process.communicate(content, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise HookError(f"was not done after {timeout:g} s and was ended") from None
    finally:
        with suppress(ProcessLookupError, PermissionError):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.returncode < 0:
        raise HookError(f"was ended by signal {-process.returncode}")
    if process.returncode:
        raise HookError(f"left with exit code {process.returncode}")


def _url_hook(target: str) -> Hook:
    try:
        parts = urlsplit(target)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("the URL cannot be read: expected https://HOST[:PORT]/PATH") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("the URL cannot be read: expected https://HOST[:PORT]/PATH")
    if any(character <= " " or character == "\x7f" for character in target):
        raise ValueError("the URL has a blank or a control character: write it as %20 and the like")
    shown = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    return Hook(shown, lambda content, timeout: _post(_request(parts, content), timeout))


def _request(parts: SplitResult, content: bytes) -> Request:
    from base64 import b64encode
    from urllib.parse import unquote
    from urllib.request import Request

    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="")
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "pool-recon"}
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + b64encode(user.encode()).decode("ascii")
    return Request(urlunsplit(plain), data=content, headers=headers, method="POST")


def _post(request: Request, timeout: float) -> None:
    """Send `request`, for `timeout` seconds in all.

    The time-outs of a socket are about each of its steps alone, and looking up a name has none:
    a thread that is no longer waited for bounds the whole.
    """
    failures: list[HookError] = []

    def send() -> None:
        try:
            _open(request, timeout)
        except HookError as error:
            failures.append(error)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        raise HookError(f"did not answer within {timeout:g} s")
    if failures:
        raise failures[0]


def _open(request: Request, timeout: float) -> None:
    from urllib.error import HTTPError, URLError
    from urllib.request import HTTPRedirectHandler, build_opener

    class NoRedirect(HTTPRedirectHandler):
        """A redirected POST would arrive as a GET without content, or somewhere else."""

        def redirect_request(self, *_: Any, **__: Any) -> None:
            return None

    try:
        with build_opener(NoRedirect).open(request, timeout=timeout):
            return
    except HTTPError as error:
        error.close()
        raise HookError(f"answered {error.code}") from None
    except TimeoutError:
        raise HookError(f"did not answer within {timeout:g} s") from None
    except URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise HookError(f"did not answer within {timeout:g} s") from None
        reason = error.reason.strerror if isinstance(error.reason, OSError) else None
        raise HookError(f"cannot be reached ({reason or type(error.reason).__name__})") from None
    except Exception as error:
        # The text of other errors may quote the URL.
        raise HookError(f"cannot be reached ({type(error).__name__})") from None
