"""What the warehouse knows about one id, one movement or one balance: read only, built by nothing.

All of it comes from the last close that the warehouse was built for.
"""

from pool_recon.console import printable
from pool_recon.trace.balance import explain_balance
from pool_recon.trace.movement import explain_movement
from pool_recon.trace.packet import trace
from pool_recon.trace.reader import Missing, Packet
from pool_recon.trace.text import balance_text, movement_text, trace_text

__all__ = [
    "Missing",
    "Packet",
    "balance_text",
    "explain_balance",
    "explain_movement",
    "movement_text",
    "printable",
    "trace",
    "trace_text",
]
