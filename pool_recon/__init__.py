"""Reconciliation of 0Pools raw exports, from files to a close package."""

__version__ = "0.2.0"
