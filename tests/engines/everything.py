"""All exports that are at hand, put together, and the project that understands them."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.end_to_end.test_own_exports import PARTS, SEED_ROWS, text
from tests.engines.comparing import put_together
from tests.engines.edges import write_edges
from tests.fault_matrix import write_merged
from tests.oracle.collide import collide
from tests.oracle.generate import generate_together

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"


def write_everything(folder: Path) -> tuple[Path, Path]:
    """Write exports and a project into `folder`; the other system is known to its seeds."""
    project = folder / "project"
    for part in PARTS:
        shutil.copytree(ROOT / part, project / part)
    for file in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / file, project)
    for name, lines in SEED_ROWS.findall(text()):
        with (project / "seeds" / f"{name}.csv").open("a", encoding="utf-8") as seed:
            seed.write(lines)
    sets = folder / "sets"
    exports = put_together(
        folder / "exports",
        {
            "clean": SAMPLES / "clean",
            "bad_day": SAMPLES / "bad_day",
            "other_system": SAMPLES / "other_system",
            "scenarios": write_merged(sets / "scenarios"),
            "generated": generate_together(sets / "generated", range(300, 316)),
            "collided": collide(sets / "collided", range(200)),
            "edges": write_edges(sets / "edges"),
        },
    )
    return project, exports
