"""Runs the models' compiled SQL straight on DuckDB: compiled once, then a second for each close."""

from .contradictions import contradictions
from .harness import (
    CompiledModel,
    CompiledProject,
    FindingKey,
    Warehouse,
    compiled_by_adapter,
    compiled_project,
)

__all__ = [
    "CompiledModel",
    "CompiledProject",
    "FindingKey",
    "Warehouse",
    "compiled_by_adapter",
    "compiled_project",
    "contradictions",
]
