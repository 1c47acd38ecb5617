"""A PostgreSQL database as the warehouse: exports land in it, dbt builds in it, readers read it.

DuckDB stays at both ends. It reads the exports, so that every engine is given the same texts, and
it reads what was built, so that one writer writes every close package.
"""

from pool_recon.postgres.run import close, load

__all__ = ["close", "load"]
