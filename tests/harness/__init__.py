"""Runs the models' compiled SQL straight on DuckDB: compiled once, then a second for each close."""

from .harness import CompiledModel, CompiledProject, Warehouse, compile_project

__all__ = ["CompiledModel", "CompiledProject", "Warehouse", "compile_project"]
