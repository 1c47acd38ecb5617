"""Reads a workbook as LibreOffice does; a test that asks for it is skipped where there is none."""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path

import pytest

# Comma, quote, UTF-8, cells as they are shown, no formulas, every sheet.
_AS_CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1"


def read_by_libreoffice(workbook: Path, folder: Path) -> dict[str, list[list[str]]]:
    """The rows of each sheet of a workbook, as texts; `folder` is for what it writes."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("there is no LibreOffice here: install it to read the workbook with it")
    written = folder / "libreoffice"
    subprocess.run(
        [
            *(office, "--headless", "--norestore"),
            f"-env:UserInstallation={(folder / 'libreoffice_profile').as_uri()}",
            *("--convert-to", _AS_CSV, "--outdir", str(written), str(workbook)),
        ],
        capture_output=True,
        timeout=120,
        check=True,
    )
    sheets = {}
    for file in written.glob(f"{workbook.stem}-*.csv"):
        with file.open(encoding="utf-8", newline="") as stream:
            sheets[file.stem.removeprefix(f"{workbook.stem}-")] = list(csv.reader(stream))
    return sheets
