"""A second reading of the close, by Great Expectations, independent of the tests of dbt.

One suite states the rules of the close checklist, the published contract of every mart, and that
of the CSV files that finance receives. It reads the facts, the landed rows and the files; never
what dbt concluded about a rule, except to compare both at the end.
"""

from pool_recon.expectations.report import JSON_NAME, PAGE_NAME, write_report
from pool_recon.expectations.results import Outcome, Result, SecondReading
from pool_recon.expectations.validation import validate

__all__ = [
    "JSON_NAME",
    "PAGE_NAME",
    "Outcome",
    "Result",
    "SecondReading",
    "validate",
    "write_report",
]
