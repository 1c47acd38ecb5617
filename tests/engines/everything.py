"""All exports that are at hand, put together, and the project that understands them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from pool_recon.cache import cache_folder
from tests.end_to_end.test_own_exports import PARTS, SEED_ROWS, text
from tests.engines.comparing import put_together
from tests.engines.edges import write_edges
from tests.fault_matrix import write_merged
from tests.oracle.collide import collide
from tests.oracle.generate import generate_together

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"
# What dbt wrote while it parsed a project.
PARSED = "partial_parse.msgpack"


def write_everything(
    folder: Path, generated: Iterable[int] = range(300, 316), collided: Iterable[int] = range(200)
) -> tuple[Path, Path]:
    """Write exports and a project into `folder`; the other system is known to its seeds.

    `generated` and `collided` are seeds of chance.
    """
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
            "generated": generate_together(sets / "generated", generated),
            "collided": collide(sets / "collided", collided),
            "edges": write_edges(sets / "edges"),
        },
    )
    return project, exports


def let_parsed_like_ours(project: Path, targets: Iterable[str]) -> None:
    """Have dbt parse no more of a copy of our project than differs, where it has parsed ours.

    That holds in a database of the same name, reached in the same way.
    """
    for target in targets:
        ours, theirs = (cache_folder(place, target) for place in (ROOT, project))
        if (ours / PARSED).exists():
            theirs.mkdir(parents=True)
            shutil.copy(ours / PARSED, theirs)
