"""Compiled templates: kept, used where the text is the same, and never where it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import pytest
from dbt_common.clients.jinja import MacroFuzzEnvironment, get_template, render_template
from dbt_common.exceptions import CompilationError

from pool_recon.dbt_shortcuts.templates import compiled_before

TEXTS = ("{{ a }} and {% if a %}more{% endif %}", "{% set b = a + 1 %}{{ b }}", "{{ a }}")


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that Jinja itself compiles."""
    seen: list[str] = []
    generate = jinja2.Environment._generate

    def noted(self: Any, source: Any, *arguments: Any, **options: Any) -> str:
        seen.append(str(source))
        return generate(self, source, *arguments, **options)

    monkeypatch.setattr(MacroFuzzEnvironment, "_generate", noted, raising=False)
    return seen


def rendered(file: Path) -> list[object]:
    with compiled_before(file):
        return [
            render_template(get_template(text, {}, native=native), {"a": 1})
            for text in TEXTS
            for native in (False, True)
        ]


def test_each_text_is_compiled_once_for_all_closes(tmp_path: Path, compiled: list[str]) -> None:
    file = tmp_path / "cache" / "templates"
    plain = [
        render_template(get_template(text, {}, native=native), {"a": 1})
        for text in TEXTS
        for native in (False, True)
    ]
    compiled.clear()
    # Where this fails with another version of dbt, dbt compiles by another way than it did.
    assert rendered(file) == plain
    assert len(compiled) == 2 * len(TEXTS)
    compiled.clear()
    assert rendered(file) == plain
    assert compiled == []


def test_dbt_is_as_it_was_afterwards(tmp_path: Path) -> None:
    before = MacroFuzzEnvironment.compile
    with (
        pytest.raises(CompilationError, match="Expected an expression"),
        compiled_before(tmp_path / "t"),
    ):
        get_template("{% if %}", {})
    assert MacroFuzzEnvironment.compile is before


@pytest.mark.parametrize("content", [b"", b"nothing", b"\xe9\x01\x00\x00\x00"])
def test_what_is_broken_or_open_to_others_is_compiled_anew(
    content: bytes, tmp_path: Path, compiled: list[str]
) -> None:
    file = tmp_path / "templates"
    answer = rendered(file)
    file.chmod(0o666)
    compiled.clear()
    assert rendered(file) == answer
    assert compiled
    file.write_bytes(content)
    assert rendered(file) == answer
