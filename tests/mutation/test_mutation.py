"""Every condition of every finding matters: change it, and some expected finding changes.

Run with `-m exhaustive -s` to see the score.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from tests.fault_matrix import CLOSE_DATE
from tests.harness import compiled_project
from tests.mutation.conditions import MODEL_PREFIX, conditions, split_parentheses
from tests.mutation.mutate import mutations
from tests.mutation.score import Score, Survivor, score

EQUIVALENT = Path(__file__).with_name("equivalent.csv")
ROOT = Path(__file__).resolve().parents[2]


def equivalents() -> dict[Survivor, str]:
    """Mutants that no exports can tell from the original, each with the reason why."""
    with EQUIVALENT.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, strict=True))
    return {
        (row["subjects"], row["code"], row["part"], row["mutation"]): row["reason"] for row in rows
    }


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Score:
    return score(tmp_path_factory.mktemp("mutation"))


@pytest.mark.exhaustive
def test_every_mutant_is_killed_or_equivalent(scored: Score) -> None:
    known = equivalents()
    alive = [mutant for mutant in scored.survivors if mutant.key not in known]
    counts = Counter(scored.killed_by.values())
    killers = ", ".join(f"{count} by {name}" for name, count in counts.most_common())
    killed = len(scored.killed_by)
    print(f"\n{killed} of {scored.mutants} mutants killed ({killers})")
    print(f"{len(scored.survivors) - len(alive)} equivalent, {len(alive)} survivors")
    assert [mutant.key for mutant in alive] == []


@pytest.mark.exhaustive
def test_what_is_called_equivalent_lives(scored: Score) -> None:
    """A mutant that is killed, or is no more, needs no reason."""
    assert set(equivalents()) <= {mutant.key for mutant in scored.survivors}


def test_every_equivalent_has_its_reason() -> None:
    assert all(reason.strip() for reason in equivalents().values())


def test_every_finding_of_the_registry_is_mutated() -> None:
    models = compiled_project(CLOSE_DATE).models.values()
    declared = {
        condition.code
        for model in models
        if model.name.startswith(MODEL_PREFIX)
        for condition in conditions(model)
    }
    with (ROOT / "seeds" / "ref_findings.csv").open(encoding="utf-8", newline="") as lines:
        registry = {row["code"] for row in csv.DictReader(lines)}
    # a difference of timing is what other findings are deferred to
    assert registry - declared == {"cutoff_timing_difference"}


def test_mutations_of_a_condition() -> None:
    made = {each.condition for each in mutations("a < b and not coalesce(c, false)")}
    assert {
        "((a <= b) AND (NOT COALESCE(c, false)))",
        "((a < b) OR (NOT COALESCE(c, false)))",
        "(a < b)",
        "(NOT COALESCE(c, false))",
        "((a < b) AND COALESCE(c, false))",
        "((a < b) AND (NOT c))",
        "((a < b) AND (NOT COALESCE(c, (NOT false))))",
    } <= made


def test_split_parentheses() -> None:
    assert split_parentheses("(a = ')' or (b)) and (c)") == ("a = ')' or (b)", "c")
