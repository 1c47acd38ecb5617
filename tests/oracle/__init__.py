"""An independent oracle of the close: it shares no code and no reference data with it."""

from .compare import compare, compare_amounts_at_risk
from .landing import StopsTheRunError
from .oracle import OracleResult, close

__all__ = ["OracleResult", "StopsTheRunError", "close", "compare", "compare_amounts_at_risk"]
