"""Puts the dbt project into the wheel, so that an installed `pool-recon` needs no checkout."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PROJECT_PARTS = (
    "dbt_project.yml",
    "profiles.yml",
    "analyses",
    "macros",
    "models",
    "seeds",
    "tests/invariants",
    "tests/rules",
)


class DbtProjectHook(BuildHookInterface):
    """Adds each part of the dbt project below `pool_recon/dbt_project/` of a standard wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Leave an editable wheel alone: it points at the checkout, which has the project."""
        if version == "editable":
            return
        for part in PROJECT_PARTS:
            source = Path(self.root) / part
            build_data["force_include"][str(source)] = f"pool_recon/dbt_project/{part}"
