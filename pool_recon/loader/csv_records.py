r"""CSV by RFC 4180, record by record: for headers, and for files that a bulk reader must not see.

Nothing is guessed and nothing is dropped. A quote inside a value that does not begin with one is
text. A line of nothing but ASCII white space is no record. ``\n``, ``\r\n`` and a lone ``\r``
end a record.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pool_recon.blanks import BLANK

_LINE_END: Final = "\r\n"
_FIELD_END: Final = re.compile(r"[,\r\n]|\Z")
_QUOTES: Final = re.compile(r'""|"')


@dataclass(frozen=True, slots=True)
class CsvRecord:
    """One record: its fields, or None where text follows a closing quote; `text` is as written."""

    fields: list[str] | None
    text: str


class UnclosedQuoteError(Exception):
    """A quote is opened and never closed. `line` is the line of the file, from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def read_records(lines: Iterable[str]) -> Iterator[CsvRecord]:
    """Yield the records of `lines`, which keep their line ends; the header is the first of them.

    Raises:
        UnclosedQuoteError: the last record ends within quotes.
    """
    numbered = enumerate(lines, start=1)
    for number, line in numbered:
        if '"' in line:
            yield _record_with_quotes(number, line, numbered)
            continue
        text = line.rstrip(_LINE_END)
        if text.strip(BLANK):
            yield CsvRecord(text.split(","), text)


def _record_with_quotes(number: int, line: str, following: Iterator[tuple[int, str]]) -> CsvRecord:
    text, at = line, 0
    fields: list[str] = []
    well_formed = True
    while True:
        if text.startswith('"', at):
            begin = search_from = at + 1
            while True:
                quote = _QUOTES.search(text, search_from)
                if quote is None:
                    search_from = len(text)
                    more = next(following, None)
                    if more is None:
                        raise UnclosedQuoteError(number)
                    text += more[1]
                elif quote.group() == '"':
                    break
                else:
                    search_from = quote.end()
            fields.append(text[begin : quote.start()].replace('""', '"'))
            end = _field_end(text, quote.end())
            well_formed &= end == quote.end()
        else:
            end = _field_end(text, at)
            fields.append(text[at:end])
        if not text.startswith(",", end):
            break
        at = end + 1
    return CsvRecord(fields if well_formed else None, text.rstrip(_LINE_END))


def _field_end(text: str, at: int) -> int:
    found = _FIELD_END.search(text, at)
    return found.start() if found else len(text)
