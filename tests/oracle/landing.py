"""Exports to landed rows: files, columns, secrets, malformed rows. No value is read yet."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from .reference import COLUMNS, EXPORTS, OTHER_NAMES, PRIVATE_WORDS, REQUIRED_EXPORTS

EXTENSIONS = ("csv", "csv.gz", "jsonl", "jsonl.gz", "ndjson", "json", "parquet")
SECRET = re.compile(r"(sk_live_|sk_test_|whsec_)[A-Za-z0-9_]{8,}")


class StopsTheRunError(Exception):
    """The exports cannot be read at all."""


@dataclass
class LandedRow:
    """One record as written: `texts` by column, or `malformed` with nothing to read."""

    export: str
    file_name: str
    number: int
    load_order: int
    texts: dict[str, str | None] = field(default_factory=dict)
    file_columns: frozenset[str] = frozenset()
    malformed: bool = False
    has_secret: bool = False

    @property
    def name(self) -> str:
        return f"{self.file_name}:{self.number}"


@dataclass
class Landing:
    """All that has landed, and what the intake findings need to know about the files."""

    rows: dict[str, list[LandedRow]]
    exports_present: set[str]
    columns_present: dict[str, set[str]]
    private_columns: list[str]
    secret_files: list[str]


class Digits(str):
    """A JSON number, as the digits that were written."""


def mask(text: str) -> str:
    return SECRET.sub(lambda found: found.group(1) + "***", text)


def land(loads: Sequence[Path]) -> Landing:
    """Lands several runs, the earliest first; a file that was loaded before is skipped."""
    landing = Landing(
        {export: [] for export in EXPORTS}, set(), {export: set() for export in EXPORTS}, [], []
    )
    known: dict[tuple[str, str], list[str]] = {}
    order = 0
    for directory in loads:
        for export in EXPORTS:
            paths = files_of(directory, export)
            if export in REQUIRED_EXPORTS and not paths:
                raise StopsTheRunError(f"{export}: no file")
            for relative in paths:
                data = (directory / relative).read_bytes()
                digest = hashlib.sha256(data).hexdigest()
                earlier = known.setdefault((export, relative), [])
                if digest in earlier:
                    continue
                earlier.append(digest)
                name = mask(relative) + (f"@{digest[:8]}" if len(earlier) > 1 else "")
                order = land_file(landing, export, relative, name, data, order)
    return landing


def files_of(directory: Path, export: str) -> list[str]:
    """EXPORTS/<export>.<ext> and EXPORTS/<export>/**/*.<ext>, by the bytes of the path."""
    found = [f"{export}.{extension}" for extension in EXTENSIONS]
    found = [name for name in found if (directory / name).is_file()]
    for path in (directory / export).rglob("*") if (directory / export).is_dir() else ():
        relative = path.relative_to(directory)
        hidden = any(part.startswith((".", "_")) for part in relative.parts)
        if path.is_file() and not hidden and path.name.endswith(tuple("." + e for e in EXTENSIONS)):
            found.append(relative.as_posix())
    return sorted(found, key=lambda name: name.encode())


def land_file(
    landing: Landing, export: str, relative: str, name: str, data: bytes, order: int
) -> int:
    """Lands one file and gives the load order of the row after it."""
    if relative.endswith(".parquet"):
        columns, records = read_parquet(export, data)
    else:
        columns, records = read_records(relative, data)
    mapped = map_columns(export, columns)
    required = {column for column, kind in COLUMNS[export].items() if kind.startswith("*")}
    is_json = not relative.removesuffix(".gz").endswith((".csv", ".parquet"))
    is_empty_json = is_json and not columns and not records
    if not is_empty_json and (missing := required - set(mapped)):
        raise StopsTheRunError(f"{relative}: no column {sorted(missing)}")
    landing.exports_present.add(export)
    # a JSON file without rows lacks no column
    present = frozenset(COLUMNS[export]) if is_empty_json else frozenset(mapped)
    landing.columns_present[export] |= present
    landing.private_columns += [f"{name}:{mask(c)}" for c in columns if is_private(c)]
    if SECRET.search(relative) or any(SECRET.search(column) for column in columns):
        landing.secret_files.append(name)
    for number, (record, raw) in enumerate(records, start=1):
        row = LandedRow(export, name, number, order, file_columns=present)
        order += 1
        row.has_secret = any(SECRET.search(text) for text in raw if text is not None)
        if record is None:
            row.malformed = True
        else:
            for column, written in mapped.items():
                text = record.get(written)
                row.texts[column] = None if text is None else mask(text)
        landing.rows[export].append(row)
    return order


Record = tuple[dict[str, str | None] | None, list[str | None]]


def read_records(relative: str, data: bytes) -> tuple[list[str], list[Record]]:
    """The columns of a file and its records: by name (None: malformed) and as bare texts."""
    try:
        if relative.endswith(".gz"):
            data = gzip.decompress(data)
        text = data.decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise StopsTheRunError(f"{relative}: {error}") from error
    if "\0" in text:
        raise StopsTheRunError(f"{relative}: NUL byte")
    stem = relative.removesuffix(".gz")
    if stem.endswith(".csv"):
        return read_csv(relative, text)
    if stem.endswith(".json"):
        try:
            items = parse_json(text)
        except ValueError as error:
            raise StopsTheRunError(f"{relative}: {error}") from error
        if not isinstance(items, list):
            raise StopsTheRunError(f"{relative}: not an array")
        return read_json(items)
    lines = [line for line in re.split(r"\r?\n", text) if line.strip()]
    return read_json([parse_line(line) for line in lines])


def read_parquet(export: str, data: bytes) -> tuple[list[str], list[Record]]:
    """Every value as text; an amount of a floating-point type has lost its digits already."""
    with tempfile.NamedTemporaryFile(suffix=".parquet") as copy, duckdb.connect() as connection:
        copy.write(data)
        copy.flush()
        try:
            table = connection.execute("select * from read_parquet(?)", [copy.name])
        except duckdb.Error as error:
            raise StopsTheRunError(f"{export}: {error}") from error
        types = {str(name): str(type_) for name, type_, *_ in table.description or []}
        amounts = {
            written
            for column, written in map_columns(export, list(types)).items()
            if COLUMNS[export][column].lstrip("*") in ("amount", "positive", "balance")
        }
        if any(types[written] in ("FLOAT", "DOUBLE") for written in amounts):
            raise StopsTheRunError(f"{export}: an amount of a floating-point type")
        texts = "select columns(*)::varchar from read_parquet(?)"
        lines = connection.execute(texts, [copy.name]).fetchall()
    return list(types), [(dict(zip(types, line, strict=True)), [*line]) for line in lines]


def read_csv(relative: str, text: str) -> tuple[list[str], list[Record]]:
    if not text:
        raise StopsTheRunError(f"{relative}: 0 bytes")
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except csv.Error as error:
        raise StopsTheRunError(f"{relative}: {error}") from error
    header = lines[0] if lines else []
    if len(set(header)) != len(header):
        raise StopsTheRunError(f"{relative}: the same column name twice")
    records: list[Record] = []
    for line in lines[1:]:
        fits = len(line) == len(header)
        records.append((dict(zip(header, line, strict=True)) if fits else None, [*line]))
    return header, records


def parse_json(text: str) -> Any:
    return json.loads(text, parse_float=Digits, parse_int=Digits, object_pairs_hook=first_wins)


def first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


def parse_line(line: str) -> Any:
    try:
        return parse_json(line)
    except ValueError:
        return Digits(line)


def read_json(items: list[Any]) -> tuple[list[str], list[Record]]:
    columns: dict[str, None] = {}
    records: list[Record] = []
    for item in items:
        if not isinstance(item, dict):
            records.append((None, [json_text(item)]))
            continue
        columns |= dict.fromkeys(item)
        record = {key: json_text(value) for key, value in item.items()}
        records.append((record, list(record.values())))
    return list(columns), records


def json_text(value: Any) -> str | None:
    """A value as text: strings as they are, numbers as written, nested values compact."""
    if value is None or isinstance(value, str):
        return value
    return compact(value)


def compact(value: Any) -> str:
    if isinstance(value, Digits):
        return str(value)
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key, ensure_ascii=False)}:{compact(v)}" for key, v in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def fold_name(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


def map_columns(export: str, written: list[str]) -> dict[str, str]:
    """Our column -> the file's column: its own name first, then the other names in order."""
    by_folded: dict[str, str] = {}
    for name in written:
        by_folded.setdefault(fold_name(name), name)
    mapped = {}
    for column in COLUMNS[export]:
        names = [column]
        for target, others, exports in OTHER_NAMES:
            if target == column and (not exports or export in exports):
                names += others
        for name in names:
            if fold_name(name) in by_folded:
                mapped[column] = by_folded[fold_name(name)]
                break
    return mapped


def is_private(column: str) -> bool:
    """A column name that has one of the private words, or the words market maker."""
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", column)]
    pairs = pairwise(words)
    return any(word in PRIVATE_WORDS for word in words) or any(
        first == "market" and second in ("maker", "makers") for first, second in pairs
    )
