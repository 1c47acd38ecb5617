"""The floor in Polars: the same work as floor.sql, by its streaming engine."""

from pathlib import Path

import polars as pl

AMOUNT = r"^[+-]?[0-9]{1,20}(\.[0-9]{1,18})?$"
MONEY = pl.Decimal(38, 18)
DEBITS = ("buy_debit", "sell_debit", "trade_debit", "trade_reserve")
NO_SOURCE = ("trade_settle", "fee_debit", "payin_credit", "funding_credit")


def _texts(exports: Path, export: str) -> pl.LazyFrame:
    return pl.scan_csv(exports / export / "*.csv", infer_schema=False)


def _moment(name: str) -> pl.Expr:
    return pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", strict=False)


def _amount(name: str) -> pl.Expr:
    return pl.col(name).cast(MONEY, strict=False)


def run_floor(exports: Path, fact: Path) -> None:
    """Write the fact over the CSV files of `exports` to the Parquet file `fact`."""
    orders = (
        _texts(exports, "orders")
        .sort("updated_at", descending=True, nulls_last=True)
        .unique("partner_order_id", keep="first", maintain_order=True)
        .select("partner_order_id", "product_state", _moment("created_at"))
    )
    quotes = (
        _texts(exports, "quotes")
        .filter(pl.col("source_amount").str.contains(AMOUNT))
        .sort("accepted_at", descending=True, nulls_last=True)
        .unique("quote_id", keep="first", maintain_order=True)
        .select(
            "quote_id",
            "partner_order_id",
            _amount("source_amount"),
            _amount("target_amount"),
            _moment("expires_at"),
            _moment("accepted_at"),
        )
    )
    trades = (
        _texts(exports, "trades")
        .sort("updated_at", descending=True, nulls_last=True)
        .unique("transact_id", keep="first", maintain_order=True)
        .with_columns(_moment("reserved_at"), _moment("terminal_at"))
        .sort("reserved_at", "transact_id")
        .with_columns(
            duplicate_trade_attempt=pl.col("transact_id").cum_count().over("idempotency_key") > 1
        )
        .select("transact_id", "quote_id", "status", "duplicate_trade_attempt")
    )
    status = pl.col("status")
    events = (
        _texts(exports, "events")
        .filter((pl.col("source") == "status_read") | (pl.col("signature_result") == "valid"))
        .group_by("transact_id")
        .agg(
            event_count=pl.col("event_id").n_unique(),
            settled=(status == "settled").any(),
            failed=(status == "failed").any(),
            released=(status == "released").any(),
            returned=(status == "returned").any(),
        )
    )
    amount = _amount("amount")
    entry_type = pl.col("entry_type")
    entries = (
        _texts(exports, "ledger")
        .filter(pl.col("amount").str.contains(AMOUNT))
        .with_columns(
            delta=pl.when(entry_type.is_in(DEBITS))
            .then(-amount.abs())
            .when(~entry_type.is_in(NO_SOURCE))
            .then(amount)
        )
        .group_by("transact_id")
        .agg(entry_count=pl.len(), source_net=pl.col("delta").sum())
    )
    terminal = ("settled", "failed", "released", "returned")
    seen = pl.coalesce(*[pl.when(status == word).then(pl.col(word)) for word in terminal])
    outcomes = sum(pl.col(word).fill_null(False).cast(pl.Int8) for word in terminal[:3])
    demanded = pl.when(status == "settled").then(-pl.col("source_amount")).otherwise(0)
    fact_frame = (
        orders.join(quotes, on="partner_order_id", how="left")
        .join(trades, on="quote_id", how="left")
        .join(events, on="transact_id", how="left")
        .join(entries, on="transact_id", how="left")
        .with_columns(
            missing_quote=pl.col("quote_id").is_null(),
            missing_trade=pl.col("transact_id").is_null() & pl.col("accepted_at").is_not_null(),
            missing_webhook=(status != "reserved") & ~seen.fill_null(False),
            ledger_mismatch=pl.col("source_net").ne_missing(demanded),
            terminal_state_conflict=pl.Expr.gt(outcomes, 1),
        )
        .drop(*terminal)
    )
    fact_frame.sink_parquet(fact, engine="streaming")
