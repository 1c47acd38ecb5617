"""Simulated exports of any size: both sides of a network, clean unless faults are asked for."""

from pool_recon.simulate.faults import fault_codes
from pool_recon.simulate.run import FILE_FORMATS, SimulationSummary, simulate

__all__ = ["FILE_FORMATS", "SimulationSummary", "fault_codes", "simulate"]
