"""Audit of close packages: `verify` proves one, `diff` tells two apart and says why."""

from pool_recon.audit.verify import Verification, verify

__all__ = ["Verification", "verify"]
