"""The liquidity lanes that simulated movements use: who trades what, at which rate.

Every figure is a whole number of minor units or of the last digit of a rate, so that no amount
is ever a binary fraction.
"""

from __future__ import annotations

from dataclasses import dataclass

DEBIT_PARTNER = "partner_alder"
RESERVE_PARTNER = "partner_birch"


@dataclass(frozen=True)
class Lane:
    """One pool and side of one partner.

    ``source_low`` and ``source_step`` are minor units of the source asset: an amount is
    ``low + n * step + m`` with ``n < source_steps`` and ``m < step``. ``rate_low`` and
    ``rate_span`` count the last of ``rate_digits`` decimals. ``weight`` is the share of orders
    in per cent.
    """

    partner_id: str
    pool_id: str
    side: str
    source_asset: str
    target_asset: str
    crypto_network: str
    source_low: int
    source_steps: int
    source_step: int
    rate_digits: int
    rate_low: int
    rate_span: int
    weight: int

    @property
    def is_debit_model(self) -> bool:
        """True where the partner is debited at once, false where the amount is reserved first."""
        return self.partner_id == DEBIT_PARTNER


ON, OFF = "on_ramp", "off_ramp"
A, B = DEBIT_PARTNER, RESERVE_PARTNER

LANES: tuple[Lane, ...] = (
    Lane(A, "EUR-USDT", ON, "EUR", "USDT", "ethereum", 1_000, 50_000, 1, 6, 1_071_000, 4_000, 25),
    Lane(A, "EUR-USDT", OFF, "USDT", "EUR", "ethereum", 10**7, 500, 10**6, 6, 929_000, 3_000, 6),
    Lane(A, "GBP-USDC", ON, "GBP", "USDC", "polygon", 1_000, 40_000, 1, 6, 1_268_000, 5_000, 10),
    Lane(A, "GBP-USDC", OFF, "USDC", "GBP", "polygon", 10**7, 400, 10**6, 6, 783_000, 3_000, 3),
    Lane(A, "EUR-ETH", ON, "EUR", "ETH", "ethereum", 2_000, 60_000, 1,
         16, 3_380_000_000_000, 12_345_678_901, 6),
    Lane(A, "EUR-ETH", OFF, "ETH", "EUR", "ethereum", 10**16, 400, 10**16,
         4, 29_400_000, 150_000, 2),
    Lane(B, "EUR-USDT", ON, "EUR", "USDT", "tron", 1_000, 50_000, 1, 4, 10_710, 40, 20),
    Lane(B, "USD-USDC", ON, "USD", "USDC", "base", 1_000, 80_000, 1, 6, 997_000, 2_500, 13),
    Lane(B, "USD-USDC", OFF, "USDC", "USD", "base", 10**7, 800, 10**6, 6, 996_000, 2_500, 5),
    Lane(B, "EUR-BTC", ON, "EUR", "BTC", "bitcoin", 5_000, 90_000, 1,
         14, 1_612_000_000, 7_654_321, 5),
    Lane(B, "USD-DAI", ON, "USD", "DAI", "ethereum", 1_000, 80_000, 1,
         17, 99_700_000_000_000_000, 300_000_000_000_000, 4),
    Lane(B, "USD-DAI", OFF, "DAI", "USD", "ethereum", 10**19, 500, 10**18, 8,
         99_600_000, 300_000, 1),
)  # fmt: skip


def lane_number(pool_id: str, side: str, partner_id: str) -> int:
    """Position in ``LANES`` of the lane with these three."""
    for number, lane in enumerate(LANES):
        if (lane.pool_id, lane.side, lane.partner_id) == (pool_id, side, partner_id):
            return number
    raise KeyError((pool_id, side, partner_id))


# What one top-up of an asset is rounded to, in whole units: the mean top-up is far above it.
TOP_UP_UNITS = {"BTC": 1, "ETH": 10}
DEFAULT_TOP_UP_UNITS = 1_000
