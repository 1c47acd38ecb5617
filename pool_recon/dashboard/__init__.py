"""The dashboard: a built warehouse in a browser on this machine, read and never written.

It shows the figures of the close report, from the same code; what is added is filters and search.
"""

from pool_recon.dashboard.server import dashboard

__all__ = ["dashboard"]
