"""How DuckDB and Python have to be told to read a CSV file that has long records.

By itself DuckDB refuses a record of more than 2 MB, and reads the parts of a large file side by
side, which goes wrong where a part begins within a value of many lines. Python refuses a value of
more than 128 KiB.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

# What is read at a time; shorter records are read in the usual way.
_BLOCK: Final = 1 << 16
# Records up to this many bytes need no more room than DuckDB takes by itself, and buffers are never
# smaller than its own.
_USUAL_RECORD: Final = 1 << 20
_USUAL_BUFFER: Final = 1 << 25
ONE_READER: Final = ", parallel = false"


def options_for_records(file: Path) -> str:
    """What read_csv needs as further options to read every record of `file`; mostly nothing.

    More room for a record is more room in every buffer, so that only a file that needs it gets it.
    Raises OSError.
    """
    # A shorter file has no record to speak of.
    longest = longest_record(file) if file.stat().st_size > _BLOCK else 0
    if longest <= _BLOCK:
        return ""
    if longest <= _USUAL_RECORD:
        return ONE_READER
    room = longest + _USUAL_RECORD
    # By itself DuckDB takes buffers of sixteen records.
    buffer = max(2 * room, _USUAL_BUFFER)
    return f"{ONE_READER}, max_line_size = {room}, buffer_size = {buffer}"


def allow_long_values() -> None:
    """Have the CSV reader of Python take values of any length."""
    csv.field_size_limit(2**31 - 1)


def longest_record(file: Path) -> int:
    """The bytes of the longest record of a CSV file, or of a block where none has more.

    A record ends at a line feed outside quotes. Raises OSError.
    """
    longest, begin, at, in_quotes = _BLOCK, 0, 0, False
    with file.open("rb", buffering=0) as stream:
        while block := stream.read(_BLOCK):
            first, last, stays_open = _ends(block, in_quotes)
            if last:
                # Those between the two ends are shorter than the block.
                longest = max(longest, at + first - begin)
                begin = at + last
            at += len(block)
            in_quotes = stays_open
    return max(longest, at - begin)


def _ends(block: bytes, in_quotes: bool) -> tuple[int, int, bool]:
    """Behind which bytes of `block` the first and the last record end, and if its end is in quotes.

    Both are 0 where none ends.
    """
    if b'"' not in block:
        if in_quotes:
            return 0, 0, True
        return block.find(b"\n") + 1, block.rfind(b"\n") + 1, False
    # Two in a row change nothing, and a value may have millions of them.
    parts = block.replace(b'""', b"  ").split(b'"')
    stays_open = in_quotes ^ (len(parts) % 2 == 0)
    first = start = 0
    for number, part in enumerate(parts):
        if bool(number % 2) is in_quotes and b"\n" in part:
            first = start + part.index(b"\n") + 1
            break
        start += len(part) + 1
    last, end = 0, len(block)
    for number, part in enumerate(reversed(parts)):
        if bool(number % 2) is stays_open and b"\n" in part:
            last = end - len(part) + part.rindex(b"\n") + 1
            break
        end -= len(part) + 1
    return first, last, stays_open
