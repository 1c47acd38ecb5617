"""Which mutations of the findings some set of exports tells from the original."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from tests.fault_matrix import CLOSE_DATE, separate_scenarios, write_alone, write_merged
from tests.harness import CompiledModel, CompiledProject, Warehouse, compiled_project
from tests.oracle.generate import generate_together

from .conditions import MODEL_PREFIX, Condition, conditions, subjects_of
from .mutate import Mutation, mutations

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SEEDS = range(12)
Survivor = tuple[str, str, str, str]
Judgement = tuple[tuple[bool, bool], ...] | str


@dataclass(frozen=True)
class Mutant:
    """A finding with one change in one part of its condition."""

    condition: Condition
    part: str
    mutation: Mutation

    @property
    def key(self) -> Survivor:
        subjects = self.condition.model.name.removeprefix(MODEL_PREFIX)
        return subjects, self.condition.code, self.part, self.mutation.description

    @property
    def flags(self) -> tuple[str, str]:
        return self.condition.flags_with(self.part, self.mutation.condition)


@dataclass
class Score:
    """How many mutants there were, what killed each, and which lived."""

    killed_by: dict[Survivor, str] = field(default_factory=dict)
    survivors: list[Mutant] = field(default_factory=list)

    @property
    def mutants(self) -> int:
        return len(self.killed_by) + len(self.survivors)


def exports_folders(folder: Path) -> dict[str, Path]:
    """Sets of exports of which the expected findings are known, those written by hand first."""
    alone = {
        scenario.name: write_alone(folder / scenario.name, scenario)
        for scenario in separate_scenarios()
    }
    return {
        "the scenarios": write_merged(folder / "merged"),
        **alone,
        "the bad day": SAMPLES / "bad_day",
        "generated exports": generate_together(folder / "generated", SEEDS),
    }


def mutants(project: CompiledProject) -> list[Mutant]:
    return [
        Mutant(condition, part, mutation)
        for model in project.models.values()
        if model.name.startswith(MODEL_PREFIX)
        for condition in conditions(model)
        for part, text in condition.parts()
        for mutation in mutations(text)
    ]


def judgements(
    warehouse: Warehouse, model: CompiledModel, flags: Sequence[tuple[str, str]]
) -> list[Judgement]:
    """For each pair of flags what it says of every subject, in their order.

    The engine's refusal of a condition is an answer too.
    """
    expressions = ", ".join(f"[{raises}, {defers}]" for raises, defers in flags)
    query = f"{subjects_of(model)} select {expressions} from subjects cross join close"
    try:
        rows = warehouse.connection.execute(query).fetchall()
    except duckdb.Error as error:
        if len(flags) == 1:
            return [type(error).__name__]
        return [judgements(warehouse, model, [pair])[0] for pair in flags]
    return [tuple(map(tuple, column)) for column in zip(*rows, strict=True)] or [()] * len(flags)


def score(folder: Path) -> Score:
    """Judges every mutant on every set of exports until one kills it."""
    project = compiled_project(CLOSE_DATE)
    result = Score()
    alive = mutants(project)
    judging = [name for name in project.models if name.startswith(MODEL_PREFIX)]
    for name, exports in exports_folders(folder).items():
        warehouse = Warehouse(project)
        warehouse.load(exports)
        warehouse.run_models(project.upstream(judging))
        alive = survivors(warehouse, name, alive, result.killed_by)
        warehouse.close_connection()
    result.survivors = alive
    return result


def survivors(
    warehouse: Warehouse, name: str, alive: Iterable[Mutant], killed_by: dict[Survivor, str]
) -> list[Mutant]:
    by_condition: dict[Condition, list[Mutant]] = {}
    for mutant in alive:
        by_condition.setdefault(mutant.condition, []).append(mutant)
    still_alive = []
    for condition, candidates in by_condition.items():
        original = condition.flags_with("when", condition.when)
        flags = [original, *(mutant.flags for mutant in candidates)]
        said, *answers = judgements(warehouse, condition.model, flags)
        for mutant, answer in zip(candidates, answers, strict=True):
            if answer == said:
                still_alive.append(mutant)
            else:
                killed_by[mutant.key] = name
    return still_alive
