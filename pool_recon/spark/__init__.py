"""Spark as the engine of a close: dbt builds in it, on one machine or on a cluster.

DuckDB stays at both ends. It reads the exports, so that every engine is given the same texts, and
it reads what was built, so that one writer writes every close package. In between all rows are
Parquet files.
"""

from pool_recon.spark.run import close, load

__all__ = ["close", "load"]
