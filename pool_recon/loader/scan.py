"""One pass over the bytes of a file: what must be known before any reader parses it."""

import codecs
import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Final

from pool_recon.loader.discovery import ExportFile
from pool_recon.masking import PREFIXES

_CHUNK: Final = 1 << 20
# A bulk reader refuses longer lines; they take the careful reader.
_LONGEST_LINE: Final = 1 << 20
# Cannot occur in JSON, so that a CSV reader that splits at it reads whole lines.
SEPARATOR: Final = "\x01"
_PREFIXES: Final = tuple(prefix.encode() for prefix in PREFIXES)
# What every prefix begins with: fewer to look for in the bytes that have none.
_STEMS: Final = tuple({prefix[: prefix.index(b"_") + 1] for prefix in _PREFIXES})
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_OVERLAP: Final = max(map(len, _PREFIXES)) - 1
# A quote that neither opens a field, nor closes one, nor is doubled.
_STRAY_QUOTE: Final = re.compile(rb'"(?:(?=[^,\r\n"])|(?<=[^,\r\n"]"))')
# JSON escapes of the characters that a secret can be made of.
_HIDING_ESCAPE: Final = re.compile(rb"\\u00[3-7]")


@dataclass
class CsvShape:
    """The layout of a CSV file, counted outside quotes without parsing values.

    `lines` are all lines, `blank_lines` the empty ones among them as far as they were looked for
    (surely those at the end of the file), `commas` those that separate fields. The layout is
    `regular` while quotes stand only where RFC 4180 puts them, all lines end alike and none is
    very long.
    """

    lines: int = 0
    blank_lines: int = 0
    commas: int = 0
    line_ends: set[bytes] = field(default_factory=set)
    regular: bool = True
    starts_blank: bool = False

    @property
    def records(self) -> int:
        """Number of records, the header included."""
        return self.lines - self.blank_lines


@dataclass
class JsonShape:
    """The line ends of a JSON file, and whether it has the control character SEPARATOR."""

    newlines: int = 0
    carriage_returns: int = 0
    pairs: int = 0
    has_bom: bool = False
    has_separator: bool = False


@dataclass
class FileScan:
    """What one pass over a file found.

    `sha256` and `size_bytes` are of the file as stored, `text_bytes` of its text, unzipped.
    """

    sha256: str = ""
    size_bytes: int = 0
    stamp: tuple[int, ...] = ()
    text_bytes: int = 0
    may_hold_secret: bool = False
    csv: CsvShape | None = None
    json: "JsonShape | None" = None


class _HashingReader:
    """A stream that hashes what is read through it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.sha256 = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.sha256.update(data)
        self.size += len(data)
        return data


def scan(file: ExportFile) -> FileScan:
    """Read every byte of `file` once.

    Raises:
        CloseError: the file cannot be read, is a broken gzip, is not UTF-8 or has a NUL byte.
    """
    result = FileScan()
    try:
        result.stamp = stamp(file)
        with file.path.open("rb", buffering=0) as stream:
            hashing = _HashingReader(stream)
            if file.format == "parquet":
                for _ in _chunks(hashing):
                    pass
            elif file.format.endswith(".gz"):
                _scan_text(file, _unzipped(file, hashing), result)
            else:
                _scan_text(file, _chunks(hashing), result)
    except OSError as error:
        raise file.error(f"cannot be read: {error.strerror or error}") from None
    result.sha256 = hashing.sha256.hexdigest()
    result.size_bytes = hashing.size
    return result


def stamp(file: ExportFile) -> tuple[int, ...]:
    """Return what changes when a file is written to or replaced."""
    status = file.path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _chunks(stream: "_HashingReader | gzip.GzipFile") -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk


def _unzipped(file: ExportFile, hashing: _HashingReader) -> Iterator[bytes]:
    try:
        with gzip.GzipFile(fileobj=hashing, mode="rb") as unzipped:  # type: ignore[call-overload]
            yield from _chunks(unzipped)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise file.error(f"broken gzip ({error}); expected a whole file, export it again") from None
    if hashing.size == 0:
        raise file.error("broken gzip (the file is empty); export the file again")


def _scan_text(file: ExportFile, chunks: Iterator[bytes], result: FileScan) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    layout = _CsvLayout() if file.format.startswith("csv") else None
    result.json = None if layout else JsonShape()
    tail = b""
    try:
        for chunk in chunks:
            if not result.text_bytes and chunk.startswith(_UTF_16):
                raise file.error("is not UTF-8 but UTF-16; export it again as UTF-8")
            if b"\0" in chunk:
                at = result.text_bytes + chunk.index(b"\0")
                raise file.error(f"a NUL byte at byte {at + 1}; expected UTF-8 text")
            if decoder.getstate()[0] or not chunk.isascii():
                decoder.decode(chunk)
            seam, previous = tail + chunk[:_OVERLAP], tail[-1:]
            for text in (seam, chunk):
                if any(stem in text for stem in _STEMS):
                    result.may_hold_secret |= any(prefix in text for prefix in _PREFIXES)
            tail = (tail + chunk)[-_OVERLAP:] if len(chunk) < _OVERLAP else chunk[-_OVERLAP:]
            if layout:
                layout.feed(chunk)
            if result.json:
                _scan_json(chunk, seam, previous, result.json, result)
            result.text_bytes += len(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise file.error(f"is not UTF-8 ({error.reason}); export it again as UTF-8") from None
    if layout:
        result.csv = layout.finish()


def _scan_json(
    chunk: bytes, seam: bytes, previous: bytes, shape: JsonShape, result: FileScan
) -> None:
    if _HIDING_ESCAPE.search(chunk) or _HIDING_ESCAPE.search(seam):
        result.may_hold_secret = True
    if not result.text_bytes:
        shape.has_bom = chunk.startswith(codecs.BOM_UTF8)
    shape.has_separator |= SEPARATOR.encode() in chunk
    shape.newlines += chunk.count(b"\n")
    if b"\r" in chunk or previous == b"\r":
        shape.carriage_returns += chunk.count(b"\r")
        split = previous == b"\r" and chunk.startswith(b"\n")
        shape.pairs += chunk.count(b"\r\n") + split


class _CsvLayout:
    """Counts lines and fields outside quotes, a block of whole lines at a time."""

    def __init__(self) -> None:
        self._shape = CsvShape()
        self._rest = b""
        self._carried = b""
        self._in_quotes = False
        self._first = True

    def feed(self, chunk: bytes) -> None:
        if not self._shape.regular:
            return
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            self._rest += chunk
            self._shape.regular = len(self._rest) <= _LONGEST_LINE
            return
        self._block(b"".join((self._rest, memoryview(chunk)[:cut])))
        self._rest = chunk[cut:]

    def finish(self) -> CsvShape:
        if self._shape.regular and self._rest:
            # The last line need not have an end.
            end = b"".join(self._shape.line_ends) or b"\n"
            self._block(self._rest + end)
        self._shape.regular &= not self._in_quotes
        return self._shape

    def _block(self, block: bytes) -> None:
        """Count in a block of whole lines."""
        shape = self._shape
        if self._first:
            self._first = False
            block = block.removeprefix(codecs.BOM_UTF8)
            shape.starts_blank = block[:1] in (b"\n", b"\r")
        if self._in_quotes or b'"' in block:
            block = self._outside_quotes(block)
        lines = block.count(b"\n")
        if b"\r" in block:
            shape.line_ends.add(b"\r\n")
            shape.regular &= block.count(b"\r") == lines == block.count(b"\r\n")
            block = block.replace(b"\r\n", b"\n")
        elif lines:
            shape.line_ends.add(b"\n")
        shape.regular &= len(shape.line_ends) <= 1
        shape.lines += lines
        shape.commas += block.count(b",")
        if block.endswith(b"\n\n") or block.startswith(b"\n"):
            shape.blank_lines += block.split(b"\n").count(b"") - 1

    def _outside_quotes(self, block: bytes) -> bytes:
        """Return `block` with each quoted part replaced by one quote, whole lines of it.

        A line whose quote goes on in the next block is carried over to that block.
        """
        parts = block.split(b'"')
        text = self._carried + b'"'.join(parts[1::2] if self._in_quotes else parts[::2])
        self._in_quotes ^= len(parts) % 2 == 0
        self._carried = b""
        if self._in_quotes:
            text += b'"'
        self._shape.regular &= _STRAY_QUOTE.search(text) is None
        if self._in_quotes:
            cut = text.rfind(b"\n") + 1
            self._carried, text = text[cut:], text[:cut]
        return text
