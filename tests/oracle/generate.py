"""Seeded random exports, messy on purpose: for comparing two readings of them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from .reference import (
    CLASS_OF_STATE,
    COLUMNS,
    DOCUMENTED_COLUMNS,
    ENTRY_TYPES,
    EXPORTS,
    OTHER_NAMES,
    VOCABULARIES,
)

Row = dict[str, str]
DAY = datetime(2026, 6, 30, tzinfo=UTC)
CUT_OFF = DAY + timedelta(days=1)
CORE = EXPORTS[:5]
POOLS = {"EUR-USDT": ("EUR", "USDT"), "USD-BTC": ("USD", "BTC"), "lane7": ("EUR", "USDC")}
ODD_POOLS = ["EUR-USDC", "JPY-ETH", "eur-usdt", "EUR/USDT", "EURO-USDT", "GBP-X"]
BAD_AMOUNTS = ["1e3", "1,000", "", "NaN", ".5", "5.", "1_0", "1" * 21, "0." + "1" * 19, "-0"]
BAD_TIMES = ["2026-06-30", "2026-06-31T10:00:00Z", "2026-06-30T24:00:00Z", "soon", ""]
ODD_TEXTS = ['a "quoted", text', "two\nlines", " padded ", "ünïcode", "", "=1+1"]
# the columns of which most follows, altered more often than the rest
TELLING = {
    "orders": ("product_state", "created_at", "updated_at", "quote_id", "transact_id"),
    "quotes": ("accepted_at", "expires_at", "quote_type", "rate", "partner_order_id", "status"),
    "trades": ("status", "reserved_at", "terminal_at", "quote_id", "idempotency_key", "updated_at"),
    "events": ("status", "received_at", "occurred_at", "processed_at", "signature_result"),
    "ledger": ("entry_type", "amount", "effective_at", "entry_seq", "balance_after", "transact_id"),
    "funding": ("amount", "status", "confirmed_at"),
    "balances": ("balance", "as_of"),
    "pools": ("entitled", "seen_at", "min_source_amount", "max_source_amount"),
}
AMOUNT_KINDS = ("amount", "positive", "balance")
FORMATS = ("csv", "csv", "csv.gz", "jsonl", "jsonl.gz", "ndjson", "json")


def clock(value: datetime) -> str:
    return value.replace(tzinfo=None).isoformat() + "Z"


class Mess:
    """Clean movements of a few partners, and then whatever chance does to them.

    `prefix` goes before every id, partner and funding reference, and names the files.
    """

    def __init__(self, seed: int, mess: float, prefix: str = "") -> None:
        self.random = random.Random(seed)
        self.mess = mess
        self.prefix = prefix
        self.rows: dict[str, list[Row]] = {export: [] for export in EXPORTS}
        self.serial = 0

    # --- clean rows ----------------------------------------------------------------------------

    def movement(self) -> None:
        """An order, its quote, trade, events and entries, at some moment of two days."""
        pick = self.random.choice
        self.serial += 1
        n = f"{self.serial:03}"
        who = {"environment": pick(["live", "live", "test"]), "partner_id": pick(["p1", "p2"])}
        if self.random.random() < 0.15:
            who = pick([{}, {"environment": who["environment"]}, {"partner_id": "p1"}])
        side = pick(["on_ramp", "on_ramp", "off_ramp"])
        pool, (fiat, crypto) = pick(list(POOLS.items()))
        source, target = (fiat, crypto) if side == "on_ramp" else (crypto, fiat)
        start = DAY + timedelta(seconds=self.random.randrange(-86400, 86400 - 1200))
        # whole amounts times these rates stay within two digits
        amount = Decimal(self.random.randrange(10, 1000))
        rate = Decimal(pick(["1.07", "0.5", "2", "1.25"]))
        bought = amount * rate
        in_fiat, in_crypto = (amount, bought) if side == "on_ramp" else (bought, amount)
        status = pick(["settled"] * 4 + ["reserved", "failed", "released", "returned", "none"])
        if status == "reserved" and start < DAY + timedelta(hours=1):
            status = "settled"
        states = {
            "settled": ["completed", "paid", "processing"],
            "reserved": ["processing", "created"],
            "failed": ["failed", "cancelled"],
            "released": ["released", "expired"],
            "returned": ["returned", "refunded"],
            "none": ["created", "cancelled"],
        }

        def after(seconds: float) -> str:
            return clock(start + timedelta(seconds=seconds))

        order = {
            "partner_order_id": f"o{n}",
            "created_at": after(0),
            "product_state": pick(states[status]),
            "user_reference": f"u{n}",
            "pool_id": pool,
            "side": side,
            "quote_id": f"q{n}",
            "transact_id": "" if status == "none" else f"t{n}",
            "request_id": f"r{n}",
            "updated_at": after(600),
            **who,
        }
        quote = {
            "quote_id": f"q{n}",
            "partner_order_id": f"o{n}",
            "pool_id": pool,
            "quote_type": "firm",
            "side": side,
            "source_amount": str(amount),
            "target_amount": str(bought),
            "rate": str(rate),
            "crypto_network": "ethereum",
            "dest_address": f"a{n}",
            "created_at": after(10),
            "accepted_at": "" if status == "none" else after(20),
            "expires_at": after(40),
            **({"source_asset": source, "target_asset": target} if pool == "lane7" else {}),
            **who,
        }
        self.rows["orders"].append(order)
        self.rows["quotes"].append(quote)
        if status == "none":
            return
        trade = {
            "transact_id": f"t{n}",
            "quote_id": f"q{n}",
            "partner_order_id": f"o{n}",
            "idempotency_key": f"k{n}",
            "status": status,
            "reserved_at": after(21),
            "terminal_at": "" if status == "reserved" else after(300),
            "fiat_amount": str(in_fiat),
            "crypto_amount": str(in_crypto),
            "pool_id": pool,
            "side": side,
            "crypto_network": "ethereum",
            "updated_at": after(301),
            **who,
        }
        self.rows["trades"].append(trade)
        if self.random.random() < 0.4:
            earlier = {"status": "reserved", "terminal_at": "", "updated_at": after(22)}
            self.rows["trades"].append({**trade, **earlier})
        told = {"settled": ["settled"], "returned": ["settled", "returned"], "reserved": []}
        for k, each in enumerate(told.get(status, [status])):
            is_read = self.random.random() < 0.2
            self.rows["events"].append(
                {
                    "event_id": f"e{n}{k}",
                    "transact_id": f"t{n}",
                    "quote_id": f"q{n}",
                    "status": each,
                    "occurred_at": after(300 + k * 60),
                    "received_at": after(302 + k * 60),
                    "processed_at": after(303 + k * 60),
                    "source": "status_read" if is_read else "webhook",
                    "signature_result": "" if is_read else "valid",
                    **who,
                }
            )
        self.post(n, trade, status, (source, str(amount)), (target, str(bought)), after, who)

    def post(
        self,
        n: str,
        trade: Row,
        status: str,
        source: tuple[str, str],
        target: tuple[str, str],
        after: Callable[[float], str],
        who: Row,
    ) -> None:
        """The entries that a trade's status demands."""
        reserve = self.random.random() < 0.5
        entries = [("trade_reserve" if reserve else "buy_debit", source, 22)]
        if status in ("settled", "returned"):
            entries.append(("trade_settle", target, 304))
        if status in ("failed", "released"):
            entries.append(("trade_release" if reserve else "buy_refund", source, 304))
        if status == "returned":
            entries.append(("return_credit", source, 365))
        names = self.random.choice(["transact_id", "transact_id", "quote_id", "ledger_ref"])
        for k, (kind, (asset, amount), seconds) in enumerate(entries, start=1):
            self.rows["ledger"].append(
                {
                    "ledger_entry_id": f"l{n}{k}",
                    "entry_type": kind,
                    "asset": asset,
                    "amount": amount,
                    "effective_at": after(seconds),
                    names: trade["quote_id"] if names == "quote_id" else trade["transact_id"],
                    "entry_seq": str(k),
                    **who,
                }
            )

    def prefund(self) -> None:
        """Funding of each partner, credited; balances stated along the chain and reported."""
        for environment in ("live", "test"):
            for partner in ("p1", "p2"):
                for asset in ("EUR", "USDT"):
                    who = {"environment": environment, "partner_id": partner}
                    self.top_up(who, asset)
        for pool in POOLS:
            self.rows["pools"].append(
                {"pool_id": pool, "seen_at": "2026-06-01T00:00:00Z", "entitled": "true"}
            )

    def top_up(self, who: Row, asset: str) -> None:
        name = "-".join((*who.values(), asset))
        confirmed_at = DAY - timedelta(days=2)
        self.rows["funding"].append(
            {
                "funding_reference": f"f-{name}",
                "asset": asset,
                "amount": "50000",
                "status": "confirmed",
                "confirmed_at": clock(confirmed_at),
                **who,
            }
        )
        credit = {
            "ledger_entry_id": f"c-{name}",
            "entry_type": "payin_credit",
            "asset": asset,
            "amount": "50000.00",
            "effective_at": clock(confirmed_at + timedelta(seconds=1)),
            "funding_reference": f"f-{name}",
            "entry_seq": "0",
            **who,
        }
        self.rows["ledger"].append(credit)
        defaults = {"environment": "live", "partner_id": "default"}
        mine = [
            row
            for row in self.rows["ledger"]
            if row["asset"] == asset and {key: row.get(key, defaults[key]) for key in who} == who
        ]
        mine.sort(key=lambda r: (r["effective_at"], int(r["entry_seq"]), r["ledger_entry_id"]))
        balance = Decimal(0)
        for row in mine:
            kind = ENTRY_TYPES[row["entry_type"]]
            if kind.touches_balance:
                balance += Decimal(row["amount"]) * kind.sign
                row["balance_after"] = str(balance)
            else:
                row["balance_after"] = "settled"
        self.rows["balances"].append(
            {"asset": asset, "balance": str(balance), "as_of": clock(CUT_OFF), **who}
        )

    # --- mess ----------------------------------------------------------------------------------

    def disturb(self) -> None:
        """One thing goes wrong."""
        export = self.random.choice([*CORE, *CORE, "funding", "balances", "pools"])
        if not self.rows[export]:
            return
        row = self.random.choice(self.rows[export])
        chance = self.random.random()
        if chance < 0.1:
            self.rows[export].remove(row)
        elif chance < 0.2:
            self.insert(export, dict(row))
        elif chance < 0.35:
            copy = dict(row)
            self.alter(export, copy)
            self.insert(export, copy)
        elif chance < 0.42:
            self.merge_ids(export, row)
        else:
            self.alter(export, row)

    def insert(self, export: str, row: Row) -> None:
        self.rows[export].insert(self.random.randrange(len(self.rows[export]) + 1), row)

    def merge_ids(self, export: str, row: Row) -> None:
        """Another row takes this one's id, or only its links."""
        other = self.random.choice(self.rows[export])
        for column in row:
            is_id = column.endswith(("_id", "_ref", "_key")) and column != "partner_id"
            if is_id and self.random.random() < 0.6:
                other[column] = row[column]

    def alter(self, export: str, row: Row) -> None:
        is_telling = self.random.random() < 0.6
        column = self.random.choice(TELLING[export] if is_telling else list(COLUMNS[export]))
        row[column] = self.value(export, column, row.get(column, ""))

    def value(self, export: str, column: str, old: str) -> str:
        """Some value that could stand there, often from another row, seldom unreadable."""
        pick, chance = self.random.choice, self.random.random()
        kind = COLUMNS[export][column].lstrip("*")
        if chance < 0.08:
            return ""
        if kind.startswith("word:"):
            words = sorted(VOCABULARIES[kind[5:]])
            return pick(words).upper() if chance < 0.2 else pick([*words * 8, "other"])
        if kind == "flag":
            return pick(["true", "false", "0", "1", "YES", "no", "maybe"])
        if kind == "time":
            return self.time(old)
        if kind in AMOUNT_KINDS:
            return self.amount(old)
        if kind == "whole":
            return pick(["", "", "0", "1", "2", "-1", "+3", "1.5"])
        if column == "product_state":
            return pick([*CLASS_OF_STATE, *["done", "teleported"] * 2])
        if column == "entry_type":
            return pick([*ENTRY_TYPES, "mystery", "refund"])
        if column == "pool_id":
            return pick([*POOLS, *ODD_POOLS])
        if column.endswith("asset"):
            return pick(["EUR", "USD", "USDT", "USDC", "BTC", "JPY", "ETH", "XAU"])
        if column == "partner_id":
            return pick(["p1", "p2", "p3", ""])
        if column.endswith("network"):
            return pick(["ethereum", "tron"])
        if column in ("user_reference", "client_reference", "payload_ref"):
            return pick([*ODD_TEXTS, "key sk_test_" + "12345678"])
        return self.other_id(column)

    def other_id(self, column: str) -> str:
        """An id of another row, of any export, under this name or one that may stand for it."""
        names = {
            "ledger_ref": ("transact_id", "quote_id"),
            "related_entry_id": ("ledger_entry_id",),
        }.get(column, (column,))
        known = [
            row[name]
            for rows in self.rows.values()
            for row in rows
            for name in names
            if row.get(name)
        ]
        return self.random.choice([*known[:60], "nowhere"])

    def time(self, old: str) -> str:
        pick = self.random.choice
        microsecond = timedelta(microseconds=1)
        limits = [CUT_OFF, CUT_OFF - timedelta(hours=1), DAY]
        close_by = [limit + step for limit in limits for step in (-microsecond, 0 * microsecond)]
        match pick(["near", "limit", "limit", "late", "form", "bad"]):
            case "near" if old.startswith("2026-") and old.endswith("Z") and old not in BAD_TIMES:
                moved = datetime.fromisoformat(old) + timedelta(seconds=pick([-90, -1, 1, 30, 90]))
                return clock(moved)
            case "late":
                return clock(CUT_OFF + timedelta(seconds=self.random.randrange(7200)))
            case "form":
                local = pick(close_by) + timedelta(hours=2)
                return local.strftime("%Y-%m-%d %H:%M:%S.%f") + pick(["000+02", "+0200", "+02:00"])
            case "bad":
                return pick(BAD_TIMES)
        return clock(pick(close_by))

    def amount(self, old: str) -> str:
        pick = self.random.choice
        if re.fullmatch(r"[+-]?\d+(\.\d+)?", old) and self.random.random() < 0.7:
            value = Decimal(old)
            same = [old + ("0" if "." in old else ".0"), f"+{abs(value)}"]
            near = [value + Decimal("0.01"), value - Decimal("0.000001"), -value, value / 2]
            return pick([*same, *(f"{each:f}" for each in near)])
        return pick([*BAD_AMOUNTS, "100", "0", "-5.00", "107.31", "0.1234567890123", "settled"])

    # --- files ---------------------------------------------------------------------------------

    def put_prefix(self) -> None:
        for rows in self.rows.values():
            for row in rows:
                for column, text in row.items():
                    is_id = column.endswith(("_id", "_ref", "_key", "_reference"))
                    if is_id and column != "pool_id" and text.strip():
                        row[column] = self.prefix + text

    def write(self, directory: Path) -> None:
        if self.prefix:
            self.put_prefix()
        for export in EXPORTS:
            is_optional = export not in CORE
            if is_optional and self.random.random() < 0.1:
                continue
            rows = self.rows[export]
            parts = self.random.choice([1, 1, 2, 3])
            for part in range(parts):
                mine = rows[part::parts]
                if self.random.random() < 0.05 * self.mess:
                    mine = mine[: len(mine) // 2]
                if part and self.random.random() < 0.2:
                    # sent again, whole or in part
                    mine = mine + rows[: self.random.randrange(len(rows) + 1)]
                stem = f"{export}/2026/{self.prefix}{part}"
                if part == 0:
                    stem = f"{export}/{self.prefix}0" if self.prefix else export
                self.write_file(directory, export, stem, mine)

    def write_file(self, directory: Path, export: str, stem: str, rows: list[Row]) -> None:
        """One file: some columns left out, some under other names, in some format."""
        columns = [
            column
            for column, kind in COLUMNS[export].items()
            if kind.startswith("*") or self.random.random() > 0.07 * self.mess
        ]
        for documented_export, column in DOCUMENTED_COLUMNS:
            if documented_export == export and column not in columns:
                columns.append(column)
        if self.random.random() < 0.03 * self.mess and export in dict(DOCUMENTED_COLUMNS):
            columns.remove(dict(DOCUMENTED_COLUMNS)[export])
        self.random.shuffle(columns)
        names = {column: self.written_name(export, column) for column in columns}
        table = [{names[column]: row.get(column, "") for column in columns} for row in rows]
        extra = self.random.choice(["note", "venue_name", "routes", "Market Maker"])
        if self.random.random() < 0.04 * self.mess:
            for row in table:
                row[extra] = self.random.choice(["x", "", "whsec_" + "0" * 8])
        header = list(names.values()) + ([extra] if table and extra in table[0] else [])
        extension = self.random.choice(FORMATS)
        text = self.as_csv(header, table) if "csv" in extension else self.as_json(extension, table)
        data = text.encode("utf-8-sig" if self.random.random() < 0.2 else "utf-8")
        if extension.endswith(".gz"):
            data = gzip.compress(data, mtime=0)
        path = directory / f"{stem}.{extension}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def written_name(self, export: str, column: str) -> str:
        names = [column] * 6 + [column.upper(), column.replace("_", " ")]
        words = column.split("_")
        names.append(words[0] + "".join(word.title() for word in words[1:]))
        for target, others, exports in OTHER_NAMES:
            if target == column and (not exports or export in exports):
                names += others
        return self.random.choice(names)

    def as_csv(self, header: list[str], table: list[Row]) -> str:
        out = io.StringIO()
        writer = csv.DictWriter(out, header, lineterminator=self.random.choice(["\n", "\r\n"]))
        writer.writeheader()
        for row in table:
            if self.random.random() < 0.01 * self.mess:
                out.write("torn,row\n")
            writer.writerow(row)
        return out.getvalue()

    def as_json(self, extension: str, table: list[Row]) -> str:
        """Amounts as numbers where JSON can write them so; empty as null or left out."""
        items = [
            "{" + ", ".join(f"{json.dumps(k)}: {self.json_value(v)}" for k, v in row.items()) + "}"
            for row in table
        ]
        if extension == "json":
            return "[" + ",\n".join(items) + "]"
        if items and self.random.random() < 0.1 * self.mess:
            items.append('{"torn')
        return "".join(item + "\n" for item in items)

    def json_value(self, text: str) -> str:
        if text == "":
            return self.random.choice(["null", '""'])
        is_number = re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", text)
        return text if is_number and self.random.random() < 0.5 else json.dumps(text)


def generate(directory: Path, seed: int, *, mess: float, prefix: str = "") -> Path:
    """Writes exports of about 30 to 200 rows each for the close of 2026-06-30 (UTC).

    `mess` from 0 (clean rows, only files differ) to 1 (about one fault for every three rows).
    The same seed and mess give the same bytes. With a `prefix` of its own a set of exports can
    lie in one folder with others without meeting them.
    """
    made = Mess(seed, mess, prefix)
    for _ in range(made.random.randrange(15, 60)):
        made.movement()
    made.prefund()
    count = sum(len(rows) for rows in made.rows.values())
    for _ in range(round(count * mess / 3)):
        made.disturb()
    directory.mkdir(parents=True, exist_ok=True)
    made.write(directory)
    return directory


MESSES = (0.1, 0.3, 0.6, 1.0)


def generate_together(directory: Path, seeds: Iterable[int]) -> Path:
    """Several generated sets in one folder, from almost clean to a great mess by turns."""
    for seed in seeds:
        generate(directory, seed, mess=MESSES[seed % len(MESSES)], prefix=f"s{seed}.")
    return directory
