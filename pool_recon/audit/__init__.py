"""Audit of close packages: `verify` proves one, `compare` tells two apart and says why."""

from pool_recon.audit.diff import Difference, compare
from pool_recon.audit.verification import Verification, verify

__all__ = ["Difference", "Verification", "compare", "verify"]
