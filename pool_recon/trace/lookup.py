"""From an id of any kind to the landed rows that carry it and the movements that they are on."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from pool_recon.trace.later import awaited_trades, later_joins
from pool_recon.trace.reader import Reader, Row
from pool_recon.trace.streams import STREAMS, Kind

# More rows than this carry no id that anybody would trace; it bounds memory.
HIT_LIMIT = 10_000


@dataclass
class Hits:
    """The landed rows that carry an id, per export; `is_` and a column say in which it stands."""

    rows: dict[str, list[Row]] = field(default_factory=dict)

    def keys(self, export: str, columns: Collection[str]) -> set[str]:
        """The records of `export` that carry the id in one of `columns`."""
        key = STREAMS[export].key
        return {
            row[key]
            for row in self.rows[export]
            if row[key] is not None and any(row[f"is_{column}"] for column in columns)
        }

    @property
    def has_any(self) -> bool:
        """Whether anything carries the id."""
        return any(self.rows.values())


def locate(reader: Reader, wanted: str) -> tuple[Hits, list[Row]]:
    """The rows that carry the id `wanted`, and the movements that they are on.

    First come the movements of the records that have it as their own id, then, because an id may
    be two things, those of the records that share it. Where no record has it as its own, or that
    record is on no movement, the records that name it count too. What shares or names it leads by
    orders and quotes only where nothing nearer to the money has led to a movement of theirs.

    Each movement has in `_matched_as` the columns that led to it; one of the id itself has those
    of its own id alone.

    An id that is another partner's own is not there for the reader's partner, though its rows
    name it.
    """
    own, is_foreign = _hits(reader, wanted, ["own"])
    found = _Found(reader)
    found.add(own, "own")
    if is_foreign:
        return own, found.sorted()
    more: list[Kind] = ["shared"] if found.found else ["shared", "named"]
    hits, _ = _hits(reader, wanted, ["own", *more])
    for kind in more:
        found.add(hits, kind)
    return hits, found.sorted()


def _hits(reader: Reader, wanted: str, kinds: Collection[Kind]) -> tuple[Hits, bool]:
    """The rows with the id in columns of these kinds; whether it only stands in hidden ones."""
    hits = Hits()
    has_hidden = False
    for export, stream in STREAMS.items():
        columns = [column for kind in kinds for column in stream.of_kind(kind)]
        flags = ", ".join(
            f"{f'coalesce({column} = $wanted, false)' if column in columns else 'false'} "
            f"as is_{column}"
            for column in stream.columns
        )
        condition = " or ".join(f"{column} = $wanted" for column in columns)
        rows = reader.rows(
            f"select {stream.key}, partner_id, quarantine_reasons, row_order, {flags} "
            f"from staging.stg_{export} where {condition} order by row_order limit {HIT_LIMIT}",
            wanted=wanted,
        )
        hits.rows[export] = visible(reader, export, rows)
        has_hidden |= len(hits.rows[export]) < len(rows)
    return hits, has_hidden and not hits.has_any


def partners(reader: Reader, export: str, rows: Collection[Row]) -> dict[str, str]:
    """The partner of each record in force that these rows of `export` are about."""
    stream = STREAMS[export]
    keys = {row[stream.key] for row in rows if row[stream.key] is not None}
    records = reader.rows_with(f"intermediate.{stream.in_force}", stream.key, keys)
    return {record[stream.key]: record["partner_id"] for record in records if record["partner_id"]}


def visible(reader: Reader, export: str, rows: list[Row]) -> list[Row]:
    """Drop the rows of other partners; a row that states none has the partner of its record."""
    if reader.partner is None:
        return rows
    of_record = partners(reader, export, rows)
    key = STREAMS[export].key
    return [
        row
        for row in rows
        if (row["partner_id"] or of_record.get(row[key]) or reader.default_partner)
        == reader.partner
    ]


class _Found:
    """Movements in the making, by type and id, with the columns that led to each."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.found: dict[tuple[str, str], Row] = {}
        self.own: set[tuple[str, str]] = set()

    def add(self, hits: Hits, kind: Kind) -> None:
        """Add the movements of the records that carry the id in a column of this kind."""
        for export in ("events", "ledger", "trades", "quotes", "orders"):
            for column in STREAMS[export].of_kind(kind):
                ids = hits.keys(export, (column,))
                if export in ("events", "ledger"):
                    self._add_joined(export, ids, column)
                elif export == "trades":
                    self._add_trades(ids, column)
                else:
                    key = STREAMS[export].key
                    known = set() if kind == "own" else ids & self._known(key)
                    self._keep([row for row in self.found.values() if row[key] in known], column)
                    if export == "quotes":
                        self._add_quotes(ids - known, column)
                    else:
                        self._add(key, ids - known, column)
        if kind == "own":
            self.own = set(self.found)

    def sorted(self) -> list[Row]:
        """The movements of the id itself, then the others."""
        return [
            {**self.found[key], "_matched_as": sorted(self.found[key]["_matched_as"])}
            for key in sorted(self.found, key=lambda key: (key not in self.own, key[1], key[0]))
        ]

    def _keep(self, rows: Iterable[Row], matched_as: str) -> None:
        for row in rows:
            key = row["movement_type"], row["movement_id"]
            if key not in self.own and self.reader.is_visible(row["partner_id"]):
                found = self.found.setdefault(key, {**row, "_matched_as": set()})
                found["_matched_as"].add(matched_as)

    def _add(self, column: str, ids: Collection[str], matched_as: str) -> None:
        self._keep(self.reader.rows_with("marts.fct_reconciliation", column, ids), matched_as)

    def _add_trades(self, ids: Collection[str], matched_as: str) -> None:
        """Add the movements of trades; of later ones, those that await them."""
        self._add("transact_id", ids, matched_as)
        later = set(ids) - self._known("transact_id")
        awaiting = awaited_trades(self.reader, "transact_id", later).keys()
        rows = self.reader.rows_with(
            "marts.fct_reconciliation", "movement_id", {movement_id for _, movement_id in awaiting}
        )
        self._keep(
            (row for row in rows if (row["movement_type"], row["movement_id"]) in awaiting),
            matched_as,
        )

    def _add_quotes(self, ids: Collection[str], matched_as: str) -> None:
        """Add the movements of quotes; of those that are on none, the movements of their order."""
        self._add("quote_id", ids, matched_as)
        rest = set(ids) - self._known("quote_id")
        quotes = self.reader.rows_with("intermediate.int_quotes_linked", "quote_id", rest)
        self._add(
            "partner_order_id", _present(row["partner_order_id"] for row in quotes), matched_as
        )

    def _add_joined(self, export: str, ids: set[str], matched_as: str) -> None:
        """Add the movements that events or ledger entries join to, or will."""
        stream = STREAMS[export]
        rows = self.reader.rows_with(f"intermediate.{stream.in_force}", stream.key, ids)
        joined = _present(row["joined_transact_id"] for row in rows)
        self._add("transact_id", joined, matched_as)
        later = ids - {row[stream.key] for row in rows}
        links = set(later_joins(self.reader, export, (stream.key,), later).values())
        self._add_trades({i for column, i in links if column == "transact_id"}, matched_as)
        self._add("quote_id", {i for column, i in links if column == "quote_id"}, matched_as)

    def _known(self, column: str) -> set[str]:
        return _present(row[column] for row in self.found.values())


def _present(values: Iterable[str | None]) -> set[str]:
    return {value for value in values if value is not None}
