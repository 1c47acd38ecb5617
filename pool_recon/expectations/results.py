"""What an expectation states, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What an expectation is about: a rule of the checklist, a mart, or a file of the package."""

    RULE = "rule"
    MART = "mart"
    FILE = "file"


class Outcome(StrEnum):
    """Whether an expectation holds; `NOT_CHECKED` where it could not be evaluated."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True)
class Expectation:
    """A statement about the close: `query` gives the rows that contradict it, none if it holds.

    `subject` names the rule, the mart or the file; `states` says in words what is expected.
    """

    name: str
    kind: Kind
    subject: str
    states: str
    query: str


@dataclass(frozen=True)
class Result:
    """What became of an expectation.

    `unexpected_rows` is the number of all rows that contradict it, None where it could not be
    checked; `examples` are the first of them as text; `reason` says why it could not be checked.
    """

    expectation: Expectation
    outcome: Outcome
    unexpected_rows: int | None = 0
    examples: Sequence[Mapping[str, str | None]] = ()
    reason: str = ""


@dataclass(frozen=True)
class SecondReading:
    """Every result, and beside each rule what dbt says of it (`holds`, `fails`, `not checked`)."""

    close_date: str
    results: Sequence[Result]
    dbt_verdicts: Mapping[str, str]

    @property
    def rules(self) -> dict[str, Outcome]:
        """The outcome of each rule, in the order of the registry."""
        return {
            result.expectation.subject: result.outcome
            for result in self.results
            if result.expectation.kind is Kind.RULE
        }

    @property
    def disagreements(self) -> tuple[str, ...]:
        """The rules that one reading says hold and the other says do not, sorted."""
        said = {"holds": Outcome.PASSED, "fails": Outcome.FAILED}
        return tuple(
            sorted(
                rule
                for rule, outcome in self.rules.items()
                if outcome is not Outcome.NOT_CHECKED
                and said.get(self.dbt_verdicts.get(rule, ""), outcome) is not outcome
            )
        )

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of the expectations that failed."""
        return self._names(Outcome.FAILED)

    @property
    def not_checked(self) -> tuple[str, ...]:
        """The names of the expectations that could not be checked."""
        return self._names(Outcome.NOT_CHECKED)

    @property
    def holds(self) -> bool:
        """True where every expectation was checked and passed, and dbt says the same."""
        return (
            bool(self.results)
            and all(result.outcome is Outcome.PASSED for result in self.results)
            and not self.disagreements
        )

    def _names(self, outcome: Outcome) -> tuple[str, ...]:
        return tuple(r.expectation.name for r in self.results if r.outcome is outcome)
