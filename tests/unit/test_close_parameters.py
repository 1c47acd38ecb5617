"""Where a business date begins, also where the clock is changed at midnight; and its limits."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from types import SimpleNamespace

import jinja2
import pytest
import pytz

from pool_recon.midnights import midnight

MACROS = Path(__file__).resolve().parents[2] / "macros" / "staging" / "close_parameters.sql"
# zone, date, its beginning in UTC
BEGINNINGS = [
    ("UTC", "2026-06-30", "2026-06-30 00:00:00"),
    ("Europe/Berlin", "2026-06-30", "2026-06-29 22:00:00"),
    ("Europe/Berlin", "2026-10-25", "2026-10-24 22:00:00"),
    ("Europe/Berlin", "2026-10-26", "2026-10-25 23:00:00"),
    # 00:00 is there twice: the date begins with the first
    ("Atlantic/Azores", "2026-10-25", "2026-10-25 00:00:00"),
    ("America/Havana", "2024-11-03", "2024-11-03 04:00:00"),
    # 00:00 is not there: the date begins at 01:00
    ("Atlantic/Azores", "2026-03-29", "2026-03-29 01:00:00"),
    ("America/Santiago", "2026-09-06", "2026-09-06 04:00:00"),
    ("Asia/Beirut", "2026-03-29", "2026-03-28 22:00:00"),
    # its winter is the exception, and not its summer
    ("Europe/Dublin", "2026-06-30", "2026-06-29 23:00:00"),
    ("Asia/Kathmandu", "2026-06-30", "2026-06-29 18:15:00"),
]


class CompilerError(Exception):
    """What dbt raises where a macro refuses."""


def rendered(expression: str, **variables: object) -> str:
    """What dbt makes of an expression of these macros."""

    def refuse(message: str) -> None:
        raise CompilerError(message)

    source = MACROS.read_text(encoding="utf-8").replace("pool_recon.", "")
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals |= {
        "execute": True,
        "flags": SimpleNamespace(WHICH="build"),
        "exceptions": SimpleNamespace(raise_compiler_error=refuse),
        "modules": SimpleNamespace(datetime=datetime, pytz=pytz, re=re),
        "return": lambda value: value,
        "var": variables.get,
        "env_var": lambda name, default: default,
    }
    return environment.from_string(f"{source}{{{{ {expression} }}}}").render().strip()


def opening_of(zone: str, day: str) -> str:
    """The beginning of a close date as the models state it."""
    literal = rendered("close_moment(0)", close_date=day, business_time_zone=zone)
    found = re.search("cast[(]'(.*)' as timestamp[)]", literal)
    assert found
    return found[1]


@pytest.mark.parametrize(("zone", "day", "beginning"), BEGINNINGS)
def test_a_date_begins_with_its_first_moment(zone: str, day: str, beginning: str) -> None:
    assert opening_of(zone, day) == beginning
    assert str(midnight(datetime.date.fromisoformat(day), zone)) == beginning


@pytest.mark.parametrize("stated", [0, 86400, "3600", " 60 ", 999_999_999])
def test_a_limit_is_whole_seconds(stated: object) -> None:
    limit = rendered("limit_seconds('grace_period_seconds')", grace_period_seconds=stated)
    assert int(limit) == int(str(stated))


@pytest.mark.parametrize(("stated", "default"), [("acme", "acme"), ("a b", "a b"), (42, "42")])
def test_a_default_is_an_id(stated: object, default: str) -> None:
    assert rendered("default_partner()", default_partner=stated) == default


@pytest.mark.parametrize("stated", ["", " ", "acme ", None, True, ["acme"], 1.5])
def test_what_is_no_id_is_refused(stated: object) -> None:
    refused = f"default_environment is '{stated}'; expected an id, as the exports write it"
    with pytest.raises(CompilerError, match=f"^{re.escape(refused)}"):
        rendered("default_environment()", default_environment=stated)


@pytest.mark.parametrize(
    "stated", ["24h", "soon", "", None, -5, 1.5, "1e3", True, 1_000_000_000, "\u0663"]
)
def test_what_is_no_limit_is_refused(stated: object) -> None:
    refused = f"settlement_limit_seconds is '{stated}'; expected whole seconds from 0"
    with pytest.raises(CompilerError, match=f"^{re.escape(refused)}"):
        rendered("limit_seconds('settlement_limit_seconds')", settlement_limit_seconds=stated)


def test_a_limit_that_is_not_listed_is_refused() -> None:
    with pytest.raises(CompilerError, match="other_seconds is asked for as a limit"):
        rendered("limit_seconds('other_seconds')", other_seconds=1)
