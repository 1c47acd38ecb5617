"""The published forms of values: amounts, instants, seconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from .reference import MINOR_UNITS


def time_text(value: datetime | None) -> str:
    """YYYY-MM-DDTHH:MM:SS[.ffffff]Z"""
    if value is None:
        return ""
    return value.replace(tzinfo=None).isoformat() + "Z"


def amount_text(value: Decimal | None, asset: str | None) -> str:
    """In the asset's scale; with more digits, or of an unknown asset, in full."""
    if value is None:
        return ""
    scale = MINOR_UNITS.get(asset or "", 0)
    whole, _, fraction = f"{abs(value):f}".partition(".")
    fraction = fraction.rstrip("0").ljust(scale, "0")
    sign = "-" if value < 0 else ""
    return sign + (whole.lstrip("0") or "0") + ("." + fraction if fraction else "")


def seconds_text(start: datetime | None, end: datetime | None) -> str:
    """Seconds between two instants, a fraction only where there is one."""
    if start is None or end is None:
        return ""
    seconds = Decimal((end - start) // timedelta(microseconds=1)).scaleb(-6)
    return amount_text(seconds, None)
