"""What makes the tests faster changes nothing that they see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.closing import ROOT, pool_recon
from tests.harness import forking, once


def test_a_forked_command_says_what_a_fresh_one_says(tmp_path: Path) -> None:
    for words in (
        ("--version",),
        ("close", "--exports", "nowhere"),
        ("trace", "x", "--warehouse", "none.duckdb"),
        ("simulate", "--orders", 3, "--out", "made"),
    ):
        said = []
        for is_fresh in (True, False):
            folder = tmp_path / words[0] / str(is_fresh)
            ran = pool_recon(*words, out=folder, is_fresh=is_fresh)
            made = {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*.*")}
            said.append((ran.exit_code, ran.stdout, ran.stderr, made))
        assert said[0] == said[1]
    assert said[0][0] == 0
    assert said[0][3], "it worked in the folder"


def test_a_forked_command_has_the_environment_that_it_is_given(tmp_path: Path) -> None:
    environment = forking.clean_environment() | {"POOL_RECON_WAREHOUSE": "elsewhere.duckdb"}
    done = forking.run("pool_recon", ["trace", "x"], tmp_path, environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert "elsewhere.duckdb" in done.stderr


def test_what_one_worker_made_is_there_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(once, "_shared", [tmp_path])
    folders = []

    def make(folder: Path) -> str:
        folders.append(folder)
        assert list(folder.iterdir()) == []
        (folder / "file").touch()
        if len(folders) == 1:
            raise OSError("it failed")
        return "made"

    with pytest.raises(OSError, match="it failed"):
        once.once("thing", make)
    assert [once.once("thing", make) for _ in range(3)] == ["made"] * 3
    assert folders == [tmp_path / "thing"] * 2
    assert once.once("other", lambda _: 1) == 1


def test_without_workers_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(once, "_shared", [])
    folder = once.once("thing", lambda folder: folder if folder.is_dir() else ROOT)
    assert folder != ROOT
    assert not folder.exists()
