"""The notification hook: what it is told, and that nothing that goes wrong with it matters."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pool_recon import close as close_module
from pool_recon.notify import hooks
from tests.unit.cli_support import FakeBuild, run
from tests.unit.cli_support import build as build
from tests.unit.cli_support import exports as exports

SECRET = "hush_hush"
VARIABLES = ("COMMAND", "URL", "ON", "TIMEOUT")


@pytest.fixture(autouse=True)
def _no_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(f"POOL_RECON_NOTIFY_{name}", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


class Server(HTTPServer):
    """A real server on this machine: answers as told, and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.delay = 0.0
        self.received: list[tuple[str, dict[str, str], Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), json.loads(content)))
        time.sleep(self.server.delay)
        try:
            self.send_response(self.server.status)
            if self.server.status in {301, 302, 307}:
                self.send_header("Location", f"{self.server.url}/elsewhere")
            self.end_headers()
        except OSError:
            pass  # who asked has stopped waiting

    def do_GET(self) -> None:
        self.server.received.append((self.path, dict(self.headers), None))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def close(exports: Path, *more: object, date: str = "2026-06-30") -> int:
    out = exports.parent / "out"
    return run("close", "--exports", exports, "--close-date", date, "--out", out, *more)


def script(folder: Path, text: str) -> Path:
    path = folder / f"hook_{SECRET}.py"
    path.write_text(text, encoding="utf-8")
    return path


def the_failure(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr about a hook, without anything that is secret."""
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("pool-recon: notification not sent: ")
    assert SECRET not in line
    return line


class TestUrl:
    def test_a_blocked_close_is_posted(
        self, build: FakeBuild, exports: Path, server: Server, capsys: pytest.CaptureFixture[str]
    ) -> None:
        build.failing_rules = {"no_secrets"}
        url = f"http://ada:{SECRET}%21@127.0.0.1:{server.server_port}/hook?token={SECRET}"
        assert close(exports, "--notify", url, "--json") == 1
        ((path, headers, content),) = server.received
        assert path == f"/hook?token={SECRET}"
        assert headers["Authorization"] == "Basic YWRhOmh1c2hfaHVzaCE="
        assert headers["Content-Type"].startswith("application/json")
        captured = capsys.readouterr()
        assert captured.err == ""
        assert content == json.loads(captured.out)
        assert content["outcome"] == "blocked"

    @pytest.mark.parametrize(
        ("occasion", "told"),
        [
            ("blocked", ["blocked"]),
            ("failure", ["blocked", "could_not_run", "could_not_run"]),
            ("always", ["closed", "blocked", "could_not_run", "could_not_run"]),
        ],
    )
    def test_occasions(
        self, occasion: str, told: list[str], build: FakeBuild, exports: Path, server: Server
    ) -> None:
        notify = ("--notify-on", occasion, "--notify", server.url)
        assert close(exports, *notify) == 0
        build.failing_rules = {"no_secrets"}
        assert close(exports, *notify) == 1
        assert close(exports, *notify, date="2026-02-30") == 2
        (exports / "trades.csv").unlink()
        assert close(exports, *notify) == 2
        assert [content["outcome"] for _, _, content in server.received] == told

    def test_a_folder_that_is_not_there_is_notified_too(
        self, build: FakeBuild, tmp_path: Path, server: Server
    ) -> None:
        assert close(tmp_path / "none", "--notify", server.url, "--notify-on", "failure") == 2
        ((_, _, content),) = server.received
        assert "none" in content["message"]
        assert content["exit_code"] == 2

    @pytest.mark.parametrize(
        ("more", "told"),
        [
            ((), ("2026-06-30", None, "out/pool_recon.duckdb")),
            (("--out", "o/x"), ("2026-06-30", None, "o/x/pool_recon.duckdb")),
            (("--out", "o", "--warehouse", "w.duckdb"), ("2026-06-30", None, "w.duckdb")),
            (("--out", "file"), ("2026-06-30", None, None)),
            (("--out", "file", "--warehouse", "w.duckdb"), ("2026-06-30", None, "w.duckdb")),
            (("--warehouse", "."), ("2026-06-30", None, None)),
            (("--close-date", "2026-02-30"), (None, None, "out/pool_recon.duckdb")),
            (("--exports", ".", "--close-date", "x"), (None, ".", "out/pool_recon.duckdb")),
            (("--target", "oracle"), ("2026-06-30", None, "out/pool_recon.duckdb")),
            (("--nonsense",), ("2026-06-30", None, "out/pool_recon.duckdb")),
            (("too", "much"), ("2026-06-30", None, "out/pool_recon.duckdb")),
            (("--register",), ("2026-06-30", None, "out/pool_recon.duckdb")),
        ],
    )
    def test_what_was_asked_for_is_told_whatever_option_is_wrong(
        self,
        more: tuple[str, ...],
        told: tuple[str | None, ...],
        build: FakeBuild,
        tmp_path: Path,
        server: Server,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "file").touch()
        notify = ("--notify", server.url, "--notify-on", "failure", "--json")
        arguments = ("--exports", "none", "--close-date", "2026-06-30")
        assert run("close", *notify, *arguments, *more) == 2
        ((_, _, content),) = server.received
        assert content == json.loads(capsys.readouterr().out)
        assert tuple(content[key] for key in ("close_date", "exports", "warehouse")) == told

    def test_what_the_environment_asks_for_is_told(
        self, build: FakeBuild, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("POOL_RECON_WAREHOUSE", "mine.duckdb")
        arguments = ("--close-date", "2026-06-30", "--notify", server.url)
        assert run("close", *arguments, "--notify-on", "failure", "--out", tmp_path) == 2
        ((_, _, content),) = server.received
        assert (content["exports"], content["warehouse"]) == (None, "mine.duckdb")

    @pytest.mark.parametrize("status", [302, 307, 404, 500])
    def test_an_answer_that_is_no_success(
        self,
        status: int,
        build: FakeBuild,
        exports: Path,
        server: Server,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        server.status = status
        url = f"{server.url}/{SECRET}"
        assert close(exports, "--notify", url, "--notify-on", "always") == 0
        assert f"127.0.0.1:{server.server_port}: answered {status}" in the_failure(capsys)
        assert len(server.received) == 1

    def test_a_server_that_is_slow(
        self, build: FakeBuild, exports: Path, server: Server, capsys: pytest.CaptureFixture[str]
    ) -> None:
        server.delay = 1.5
        build.failing_rules = {"no_secrets"}
        assert close(exports, "--notify", server.url, "--notify-timeout", "0.2") == 1
        assert "did not answer within 0.2 s" in the_failure(capsys)

    def test_a_server_that_drips_is_not_waited_for(
        self, build: FakeBuild, exports: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Each byte comes in time, and the whole never."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            stop = threading.Event()

            def drip() -> None:
                connection, _ = listening.accept()
                with connection:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                    while not stop.wait(0.05):
                        try:
                            connection.sendall(b"x")
                        except OSError:
                            return

            thread = threading.Thread(target=drip)
            thread.start()
            began = time.monotonic()
            url = f"http://127.0.0.1:{listening.getsockname()[1]}/{SECRET}"
            target = ("--notify", url, "--notify-on", "always", "--notify-timeout", "0.3")
            assert close(exports, *target) == 0
            assert time.monotonic() - began < 20
            stop.set()
            thread.join()
        assert "did not answer within 0.3 s" in the_failure(capsys)

    def test_nobody_there(
        self, build: FakeBuild, exports: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        url = f"http://{SECRET}:{SECRET}@127.0.0.1:{port}/{SECRET}"
        assert close(exports, "--notify", url, "--notify-on", "always") == 0
        line = the_failure(capsys)
        assert f"http://127.0.0.1:{port}: cannot be reached (Connection refused)" in line

    @pytest.mark.parametrize(
        "url",
        [
            "http://",
            f"https:///{SECRET}",
            f"http://host:{SECRET}/",
            f"http://[{SECRET}/",
            f"http://host/ {SECRET}",
            f"https://host/\n{SECRET}",
        ],
    )
    def test_a_url_that_is_none_is_refused_without_being_shown(
        self, url: str, build: FakeBuild, exports: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert close(exports, "--notify", url) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "--notify" in line
        assert SECRET not in line
        assert build.settings is None


class TestCommand:
    def test_it_reads_the_summary(
        self, build: FakeBuild, exports: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        build.failing_rules = {"no_secrets"}
        told = tmp_path / "a folder" / "told.json"
        told.parent.mkdir()
        hook = script(tmp_path, "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())")
        assert close(exports, "--quiet", "--notify", f"{sys.executable} {hook} '{told}'") == 1
        assert json.loads(told.read_text(encoding="utf-8"))["outcome"] == "blocked"
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize(
        ("text", "failure"),
        [
            ("import sys; print('loud'); sys.exit('loud')", "left with exit code 1"),
            ("import os; os.kill(os.getpid(), 9)", "was ended by signal 9"),
        ],
    )
    def test_it_fails(
        self,
        text: str,
        failure: str,
        build: FakeBuild,
        exports: Path,
        tmp_path: Path,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        hook = f"{sys.executable} {script(tmp_path, text)} --token {SECRET}"
        assert close(exports, "--notify", hook, "--notify-on", "always", "--quiet") == 0
        (line,) = capfd.readouterr().err.splitlines()
        assert failure in line
        assert SECRET not in line
        assert Path(sys.executable).name in line

    def test_it_hangs_and_is_ended_with_what_it_started(
        self, build: FakeBuild, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        late = tmp_path / "late"
        text = (
            "import subprocess, sys, time\n"
            f"subprocess.Popen(['sh', '-c', 'sleep 2; touch {late}'])\n"
            "time.sleep(60)\n"
        )
        hook = f"{sys.executable} {script(tmp_path, text)}"
        build.failing_rules = {"no_secrets"}
        assert close(exports, "--notify", hook, "--notify-timeout", "1", "--quiet") == 1
        assert "was not done after 1 s and was ended" in the_failure(capsys)
        time.sleep(1.5)
        assert not late.exists()

    def test_it_closes_what_it_is_told_early(
        self, build: FakeBuild, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """More is written than a pipe holds, so that the writer meets the closed end."""
        hook = script(tmp_path, "import sys; sys.stdin.close()")
        (found,) = hooks([f"{sys.executable} {hook}"])
        found.send(b"x" * (1 << 22), 10)

    def test_it_does_not_exist(
        self, build: FakeBuild, exports: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        hook = f"/no/such/{SECRET}/program --token {SECRET}"
        assert close(exports, "--notify", hook, "--notify-on", "always", "--quiet") == 0
        assert "the command program: cannot be started (No such file" in the_failure(capsys)

    @pytest.mark.parametrize("target", ["", "  ", f"sh -c '{SECRET}"])
    def test_it_is_no_command(
        self, target: str, build: FakeBuild, exports: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert close(exports, "--notify", target) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert SECRET not in line


def test_the_environment_names_hooks_and_the_command_line_wins(
    build: FakeBuild,
    exports: Path,
    tmp_path: Path,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("POOL_RECON_NOTIFY_URL", f"{server.url}/environment")
    monkeypatch.setenv("POOL_RECON_NOTIFY_COMMAND", "false")
    monkeypatch.setenv("POOL_RECON_NOTIFY_ON", "always")
    assert close(exports, "--quiet") == 0
    assert "the command false: left with exit code 1" in the_failure(capsys)
    assert close(exports, "--quiet", "--notify", f"{server.url}/given") == 0
    assert capsys.readouterr().err == ""
    assert [path for path, _, _ in server.received] == ["/environment", "/given"]
    monkeypatch.setenv("POOL_RECON_NOTIFY_COMMAND", f"'{SECRET}")
    assert close(exports) == 2
    line = capsys.readouterr().err
    assert "POOL_RECON_NOTIFY_COMMAND" in line
    assert SECRET not in line


def test_every_hook_is_told_though_one_fails(
    build: FakeBuild, exports: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    build.failing_rules = {"no_secrets"}
    assert close(exports, "-q", "--notify", "false", "--notify", server.url) == 1
    assert len(server.received) == 1
    assert "the command false" in the_failure(capsys)


def test_an_error_inside_is_notified(
    build: FakeBuild,
    exports: Path,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(settings: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(close_module, "build_and_test", broken)
    assert close(exports, "--notify", server.url, "--notify-on", "failure") == 2
    ((_, _, content),) = server.received
    assert "internal error" in content["message"]
    assert content["message"] in capsys.readouterr().err
