"""The close report: one page for a browser and for paper, made of the figures of the package."""

from pool_recon.report.figures import Figures, Limits, read_figures
from pool_recon.report.page import PAGE_NAME, write_report

__all__ = ["PAGE_NAME", "Figures", "Limits", "read_figures", "write_report"]
