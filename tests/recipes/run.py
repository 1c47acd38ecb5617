"""Runs the recipes of examples/ for real, in environments of their own: make test-recipes.

Needs a package index and some minutes. The normal tests look at the recipes without running them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
ENVIRONMENTS = ROOT / ".venv-recipes"
CLOSE_DATE = "2026-06-30"
NOT_RUN = "not run"


def main() -> int:
    """Run the recipes that are named, else all; say of each what became of it."""
    failed = False
    recipes = (cron, systemd, github_actions, dagster, airflow)
    for recipe in recipes:
        if sys.argv[1:] and recipe.__name__ not in sys.argv[1:]:
            continue
        with tempfile.TemporaryDirectory(prefix="pool_recon_") as folder:
            try:
                said = recipe(Path(folder))
            except AssertionError as error:
                failed, said = True, f"FAILED\n{error}"
        print(f"{recipe.__name__}: {said}", flush=True)
    return int(failed)


def cron(folder: Path) -> str:
    """close.sh: linted, and run on both samples."""
    script = EXAMPLES / "cron" / "close.sh"
    ran(environment("lint") / "shellcheck", script, environ=settings("clean", folder))
    told = folder / "told.json"
    hook = folder / "hook.sh"
    hook.write_text(f"#!/bin/sh\ncat > {told}\n", encoding="utf-8")
    hook.chmod(0o755)
    for sample, code in (("clean", 0), ("bad_day", 1)):
        environ = settings(sample, folder) | {"POOL_RECON_NOTIFY_COMMAND": str(hook)}
        ran(script, CLOSE_DATE, environ=environ, code=code)
        assert told.exists() is (code == 1), sample
    assert json.loads(told.read_text(encoding="utf-8"))["outcome"] == "blocked"
    said = ran(script, environ=settings("none", folder), code=2)
    assert "samples/none" in said
    return "shellcheck; close.sh closed the clean sample, and was blocked and told of the bad day"


def systemd(folder: Path) -> str:
    """The units: verified, with the program where they expect it."""
    if not shutil.which("systemd-analyze"):
        return f"{NOT_RUN}, there is no systemd-analyze"
    for unit in (EXAMPLES / "systemd").iterdir():
        text = unit.read_text(encoding="utf-8").replace("/opt/pool-recon", str(ROOT))
        (folder / unit.name).write_text(text, encoding="utf-8")
    said = ran("systemd-analyze", "verify", *sorted(folder.iterdir()), environ=dict(os.environ))
    assert not said.strip(), said
    return "systemd-analyze verify"


def github_actions(folder: Path) -> str:
    """The workflow: by the schema of workflows."""
    check = environment("lint") / "check-jsonschema"
    workflow = EXAMPLES / "github-actions" / "close.yml"
    schema = ("--builtin-schema", "vendor.github-workflows")
    ran(check, *schema, workflow, environ=settings("clean", folder))
    return "valid by the schema of workflows"


def dagster(folder: Path) -> str:
    """The definitions: loaded, and a date materialised of both samples."""
    python = environment("dagster") / "python"
    recipe = EXAMPLES / "dagster" / "pool_recon_close.py"
    script = ROOT / "tests" / "recipes" / "materialize.py"
    for sample, holds in (("clean", True), ("bad_day", False)):
        environ = settings(sample, folder) | {"DAGSTER_HOME": str(folder)}
        said = json.loads(ran(python, script, recipe, CLOSE_DATE, environ=environ).splitlines()[-1])
        assert said == {
            "cron": "30 0 * * *",
            "success": holds,
            "materialized": 1,
            "retried": False,
            "checks": {"every_rule_holds": holds},
        }, said
    return "materialised; the bad day failed its check, and was not tried again"


def airflow(folder: Path) -> str:
    """The DAG: imported, and run of both samples."""
    program = environment("airflow") / "airflow"
    environ = {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(EXAMPLES / "airflow"),
    }
    ran(program, "db", "migrate", environ=settings("clean", folder) | environ)
    conf = json.dumps({"close_date": CLOSE_DATE})
    for sample, state in (("clean", "success"), ("bad_day", "failed")):
        said = ran(
            *(program, "dags", "test", "pool_recon_close", "--conf", conf),
            environ=settings(sample, folder) | environ,
            code=None,
        )
        assert re.search(rf"new_state={state}\b", said), said
        assert "new_state=up_for_retry" not in said, said
        assert (folder / sample / CLOSE_DATE / "manifest.json").is_file(), said
    return "run; the clean sample succeeded, and the bad day failed without another try"


def environment(name: str) -> Path:
    """The folder of programs of a throw-away environment, made where it is not there."""
    folder = ENVIRONMENTS / name
    programs = folder / "bin"
    if not (folder / ".installed").exists():
        requirements = ROOT / "tests" / "recipes" / f"{name}.txt"
        environ = dict(os.environ)
        if shutil.which("uv"):
            ran("uv", "venv", "--clear", "--python", sys.executable, folder, environ=environ)
            install: tuple[object, ...] = ("uv", "pip", "install", "--python", programs / "python")
        else:
            ran(sys.executable, "-m", "venv", "--clear", folder, environ=environ)
            install = (programs / "python", "-m", "pip", "install")
        ran(*install, "--only-binary", ":all:", "-r", requirements, environ=environ)
        (folder / ".installed").touch()
    return programs


def settings(sample: str, folder: Path) -> dict[str, str]:
    """The environment in which a recipe closes a sample."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("POOL_RECON", "AIRFLOW"))}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "POOL_RECON_EXPORTS": str(ROOT / "samples" / sample),
        "POOL_RECON_OUT": str(folder / sample),
    }


def ran(*command: object, environ: dict[str, str], code: int | None = 0) -> str:
    """What a command printed, which left with `code`; None where any will do."""
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environ,
        check=False,
    )
    assert code is None or done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}"
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
