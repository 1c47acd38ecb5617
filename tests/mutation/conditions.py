"""The conditions of the findings, as they stand in the compiled SQL of their models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.harness import CompiledModel

MODEL_PREFIX = "findings_of_"
FLAG = re.compile(r"^ {8}coalesce\((.*?), false\) as (raises|defers)_(\w+),?$", re.S | re.M)


@dataclass(frozen=True)
class Condition:
    """When a finding is raised, and when it is only a difference of timing."""

    model: CompiledModel
    code: str
    when: str
    deferred_when: str | None = None

    def parts(self) -> Iterator[tuple[str, str]]:
        """What can be mutated, by name."""
        yield "when", self.when
        if self.deferred_when is not None:
            yield "deferred_when", self.deferred_when

    def flags_with(self, part: str, condition: str) -> tuple[str, str]:
        """Whether a subject has the finding and whether it is deferred, with one part changed."""
        when = condition if part == "when" else self.when
        deferred_when = condition if part == "deferred_when" else self.deferred_when
        if deferred_when is None:
            return f"coalesce({when}, false)", "false"
        return (
            f"coalesce(({when}) and not coalesce({deferred_when}, false), false)",
            f"coalesce(({when}) and ({deferred_when}), false)",
        )


def subjects_of(model: CompiledModel) -> str:
    """What a model judges: the beginning of a query up to its select list, and its relations."""
    context, _, _ = model.sql.partition("judged as (")
    return context.rstrip().rstrip(",")


def conditions(model: CompiledModel) -> list[Condition]:
    """Every finding that a model declares."""
    flags = {(kind, code): text for text, kind, code in FLAG.findall(model.sql)}
    assert len(flags) == len(re.findall(r" as (?:raises|defers)_\w+", model.sql))
    found = []
    for (kind, code), text in flags.items():
        if kind == "defers":
            continue
        if deferred := flags.get(("defers", code)):
            when, deferred_when = split_parentheses(deferred)
            found.append(Condition(model, code, when, deferred_when))
        else:
            found.append(Condition(model, code, text))
    return found


def split_parentheses(text: str) -> tuple[str, str]:
    """The two conditions of `(one) and (other)`."""
    depth, is_quoted = 0, False
    for end, character in enumerate(text, start=1):
        is_quoted ^= character == "'"
        if not is_quoted:
            depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            first, rest = text[1 : end - 1], text[end:]
            assert rest.startswith(" and (")
            assert rest.endswith(")")
            return first, rest[len(" and (") : -1]
    raise AssertionError(f"a parenthesis is not closed: {text}")
