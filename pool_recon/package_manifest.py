"""What a close package says of itself, for those who need no more of it than its date."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Final

MANIFEST_FILE: Final = "manifest.json"


def stated_close_date(package: Path) -> date | None:
    """The close date in the manifest of the folder `package`; None where it states none."""
    try:
        manifest = json.loads((package / MANIFEST_FILE).read_text(encoding="utf-8"))
        return date.fromisoformat(manifest["close"]["close_date"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
