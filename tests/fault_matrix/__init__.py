"""The fault matrix: exports that trip each finding or nearly do, with what is expected."""

from __future__ import annotations

from pathlib import Path

from . import corners, intake, movements, records
from .dsl import CLOSE_DATE, SCENARIOS, Expected, Scenario, write

__all__ = [
    "CLOSE_DATE",
    "SCENARIOS",
    "Scenario",
    "corners",
    "expected",
    "intake",
    "merged_scenarios",
    "movements",
    "records",
    "separate_scenarios",
    "write_alone",
    "write_merged",
]


def merged_scenarios() -> list[Scenario]:
    """The scenarios of one shape, that do not disturb one another."""
    return [each for each in SCENARIOS.values() if not each.is_separate]


def separate_scenarios() -> list[Scenario]:
    """Those that need other columns, other exports or other files."""
    return [each for each in SCENARIOS.values() if each.is_separate]


def write_merged(directory: Path) -> Path:
    """Writes every scenario that can be merged into one EXPORTS folder."""
    return write(directory, merged_scenarios())


def write_alone(directory: Path, scenario: Scenario) -> Path:
    """Writes one scenario into an EXPORTS folder of its own."""
    return write(directory, [scenario])


def expected(scenario: Scenario) -> set[Expected]:
    """(code, subject_type, subject_id) of every finding that the scenario must give."""
    return set(scenario.expected)
