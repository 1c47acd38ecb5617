"""Arithmetic with amounts that loses no digit; what Python does by itself rounds to 28 digits."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import reduce
from typing import Final

# Wide enough for the sum of as many amounts as a disk can hold; an inexact sum would raise.
EXACT: Final = Context(prec=120, traps=[Inexact, InvalidOperation])


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum of `amounts`, 0 where there are none."""
    return reduce(EXACT.add, amounts, Decimal(0))
