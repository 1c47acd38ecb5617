"""How the report and the dashboard write values."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from pool_recon.report.figures import Row

if TYPE_CHECKING:
    pass

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_NUMBER = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?")


def number(value: object) -> object:
    """A number as it is written, with its thousands set apart by space that is no character."""
    from markupsafe import Markup

    text = "" if value is None else str(value)
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    sign, whole, decimals = match.groups()
    head = len(whole) % 3 or 3
    groups = [whole[:head], *(whole[at : at + 3] for at in range(head, len(whole), 3))]
    marked = groups[0] + "".join(f"<i>{group}</i>" for group in groups[1:])
    if decimals is not None:
        kept = decimals.rstrip("0")
        kept = decimals[: max(len(kept), min(2, len(decimals)))]
        rest = decimals[len(kept) :]
        marked += f".{kept}" + (f"<small>{rest}</small>" if rest else "")
    # Only digits, a sign and a point have passed the pattern.
    return Markup(sign + marked)


def words(name: str) -> str:
    """A name of the warehouse as words."""
    return name.replace("_", " ").capitalize()


def sentence(text: str) -> str:
    """A message as a sentence begins; an id or a path in it keeps its letters."""
    return text[:1].upper() + text[1:]


def long_date(text: str) -> str:
    """A date written as YYYY-MM-DD in words."""
    day = date.fromisoformat(text)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def agreement(row: Row) -> str:
    """What the close found of the balance that was reported last, at the moment of the report."""
    return {None: "none", False: "agrees", True: "differs"}[row["_has_balance_mismatch"]]


def is_zero(amount: str) -> bool:
    """Whether an amount, as exact text, is nothing."""
    return Decimal(amount) == 0
