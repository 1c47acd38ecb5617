"""Days of published files that did not change, taken again from an earlier package.

The rows of a large file are in the order of the days that they belong to; each day is a segment.
Beside the warehouse an index says where in a package each segment lies, and what its rows summed
up to. Where they still sum up to the same, the bytes are taken instead of written anew. What is
taken is verified against a SHA-256, so that no byte of a package that was changed since can get
into another one. The index is a cache: without it, a package only takes longer to write.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from pool_recon.errors import CloseError
from pool_recon.page_cache import FORGOTTEN_AT_ONCE, forget

_INDEX: Final = "segments.json"
_INDEX_VERSION: Final = 1
# What is read at a time, into the same memory every time: it stays in the cache of the processor
# while it is hashed and written, and no fresh memory has to be found for it.
_BLOCK: Final = 1 << 18
# Of fewer bytes the copy is made sooner than a thread for it.
_WORTH_A_THREAD: Final = 1 << 24
_CONTRADICTION: Final = (
    "the warehouse contradicts itself: a package view has other rows than were counted in it"
)


class SpoiltError(Exception):
    """An earlier package is no longer what its index says."""


class _EnoughError(Exception):
    """What was copied ahead is wanted now."""


@dataclass(frozen=True)
class Day:
    """What the rows of a day sum up to; `name` is ISO, empty for rows without one."""

    name: str
    rows: int
    checksum: str


@dataclass(frozen=True)
class Segment:
    """A day in a file: its rows end at the byte `end`, and `sha256` is of all bytes up to there."""

    day: Day
    end: int
    sha256: str


# The first record of a file names the columns; it changes with the fingerprint only.
HEADER: Final = Day("header", 1, "")


class Segments:
    """The index of the package that was published last, and of the one that is being written.

    With `anew` nothing is taken from the one before.
    """

    def __init__(self, folder: Path, *, anew: bool = False) -> None:
        self._file = folder / _INDEX
        self._package, self._known = (Path(), {}) if anew else _read(self._file)
        self._new: dict[str, dict[str, Any]] = {}
        self._beginnings: dict[str, Beginning] = {}
        self._copier: threading.Thread | None = None
        self._is_enough = threading.Event()

    @contextlib.contextmanager
    def copied_ahead(self, folder: Path) -> Iterator[Segments]:
        """Copy the files of the last package into `folder`, a new one, until they are asked for.

        Which of their days changed is not known by then. Most often these are the last ones, and
        what comes before them is there already, beside what else had to be done. Nothing depends on
        how far it came.
        """

        def copy() -> None:
            for name, file in self._known.items():
                beginning = self._beginnings[name] = Beginning(folder / name)
                beginning.copy(self._package / name, file["segments"], self._is_enough)

        ends = [file["segments"][-1].end for file in self._known.values() if file["segments"]]
        if sum(ends) >= _WORTH_A_THREAD:
            folder.mkdir()
            self._copier = threading.Thread(target=copy, daemon=True)
            self._copier.start()
        try:
            yield self
        finally:
            self._stop_copying()

    def _stop_copying(self) -> None:
        self._is_enough.set()
        if self._copier:
            self._copier.join()

    def known(self, name: str, fingerprint: str, days: Iterable[Day]) -> Earlier | None:
        """The file `name` of the last package, where anything of it can be taken.

        That is if it was written in the way of `fingerprint` and has one of these `days`.
        """
        self._stop_copying()
        file = self._known.get(name)
        beginning = self._beginnings.get(name)
        if file and file["fingerprint"] == fingerprint:
            earlier = Earlier(self._package / name, file["segments"], beginning)
            if not earlier.days.isdisjoint(days):
                return earlier
        if beginning:
            beginning.discard()
        return None

    def note(self, name: str, fingerprint: str, segments: Sequence[Segment]) -> None:
        """Take down what the new package's file `name` is made of."""
        self._new[name] = {"fingerprint": fingerprint, "segments": list(segments)}

    def remember(self, package: Path) -> None:
        """Keep what was taken down, once the new package is published as `package`.

        That it cannot be kept costs nothing but the time of the next close.
        """
        if not self._new:
            return
        files = {
            name: {**file, "segments": [asdict(segment) for segment in file["segments"]]}
            for name, file in self._new.items()
        }
        index = {"version": _INDEX_VERSION, "package": str(package.absolute()), "files": files}
        part = self._file.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(index), encoding="utf-8")
            part.replace(self._file)


class Earlier:
    """A file of an earlier package, read from its beginning, segment by segment."""

    def __init__(
        self, file: Path, segments: Sequence[Segment], beginning: Beginning | None = None
    ) -> None:
        self._file = file
        self._segments = segments
        self._beginning = beginning
        self.days = {segment.day for segment in segments}

    def begun(self, file: Path, days: Sequence[Day]) -> list[Hashed]:
        """Put in the place of `file` what was copied of it ahead, as far as it is of these `days`.

        Returns its segments, none where there is no such beginning.
        """
        return self._beginning.moved(file, days) if self._beginning else []

    @contextlib.contextmanager
    def reading(self, after: int = 0) -> Iterator[Taker]:
        """Open the file to read what comes `after` so many segments.

        Raises SpoiltError where it cannot be opened.
        """
        try:
            stream = self._file.open("rb", buffering=0)
        except OSError as error:
            raise SpoiltError from error
        with stream:
            if after:
                stream.seek(self._segments[after - 1].end)
            yield Taker(stream, self._segments[after:])


@dataclass(frozen=True)
class Hashed:
    """A segment, and the hash of all bytes up to its end."""

    segment: Segment
    hash: Any


class Beginning:
    """What was copied of a file ahead of time, as far as it was verified."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._copied: list[Hashed] = []

    def copy(self, source: Path, segments: Sequence[Segment], is_enough: threading.Event) -> None:
        """Copy the segments of `source` one after the other until it `is_enough`.

        Of a file that is not what the index says, or cannot be written, there is no beginning.
        """
        try:
            with Earlier(source, segments).reading() as taker, self._file.open("wb") as stream:

                def write(block: memoryview) -> None:
                    if is_enough.is_set():
                        raise _EnoughError
                    stream.write(block)

                assembly = Assembly(write)
                for segment in segments:
                    taker.take(segment.day, assembly)
                    self._copied.append(Hashed(segment, assembly.hash.copy()))
        except _EnoughError:
            pass
        except (SpoiltError, OSError):
            # What was noted may be in no file: a disk that is full says so last.
            self.discard()

    def discard(self) -> None:
        """Make room for a file that is written anew."""
        self._copied.clear()
        with contextlib.suppress(OSError):
            self._file.unlink()

    def moved(self, file: Path, days: Sequence[Day]) -> list[Hashed]:
        """As `Earlier.begun`. Raises OSError."""
        kept = [
            hashed
            for hashed, _ in takewhile(
                lambda pair: pair[0].segment.day == pair[1], zip(self._copied, days, strict=False)
            )
        ]
        if not kept:
            self.discard()
            return []
        os.truncate(self._file, kept[-1].segment.end)
        self._file.replace(file)
        return kept


class Taker:
    """Takes segments in their order, and verifies all bytes up to the last one that is taken."""

    def __init__(self, stream: io.RawIOBase, segments: Sequence[Segment]) -> None:
        self._stream = stream
        self._segments = iter(segments)
        self._buffer = memoryview(bytearray(_BLOCK))
        self._at = self._forgotten = stream.tell()
        # None as long as all bytes so far were taken: the new file has the same hash then.
        self._hash: Any = None

    def take(self, day: Day, new: Assembly) -> None:
        """Append the segment of `day` to the new file.

        Raises SpoiltError where the bytes up to its end are not those of the index.
        """
        for segment in self._segments:
            if segment.day == day:
                new.extend(self._blocks(segment), day)
                self._verify(segment, self._hash or new.hash)
                return
            self.part(new)
            deque(self._blocks(segment), maxlen=0)
            self._verify(segment, self._hash)
        raise SpoiltError

    def part(self, new: Assembly) -> None:
        """Know that the new file is another one from here on."""
        if self._hash is None:
            self._hash = new.hash.copy()

    def _blocks(self, segment: Segment) -> Iterator[memoryview]:
        while self._at < segment.end:
            read = self._stream.readinto(self._buffer[: segment.end - self._at])
            if not read:
                raise SpoiltError
            block = self._buffer[:read]
            self._at += read
            if self._hash:
                self._hash.update(block)
            yield block
            if self._at - self._forgotten >= FORGOTTEN_AT_ONCE:
                forget(self._stream.fileno(), self._forgotten, self._at)
                self._forgotten = self._at

    def _verify(self, segment: Segment, hashed: Any) -> None:
        if hashed.hexdigest() != segment.sha256:
            raise SpoiltError


class Assembly:
    """A file in the making, hashed while it grows, with a note of each of its segments."""

    def __init__(self, write: Callable[[memoryview], object], begun: Sequence[Hashed] = ()) -> None:
        self._write = write
        self.hash = begun[-1].hash if begun else hashlib.sha256()
        self.segments = [hashed.segment for hashed in begun]
        self.size = self.segments[-1].end if begun else 0

    def extend(self, blocks: Iterable[memoryview], day: Day) -> None:
        """Add the segment of `day`; a block is done with before the next one is asked for."""
        for block in blocks:
            self._write(block)
            self.hash.update(block)
            self.size += len(block)
        self.segments.append(Segment(day, self.size, self.hash.hexdigest()))


class Records:
    """The CSV records of a file as their bytes; a record ends at a line feed outside quotes."""

    def __init__(self, stream: io.RawIOBase | io.BytesIO) -> None:
        self._stream = stream
        self._buffer = bytearray(_BLOCK)
        self._view = memoryview(self._buffer)
        # What has been read and not been taken: from here to there.
        self._start = self._end = 0
        self._in_quotes = False

    def take(self, count: int) -> Iterator[memoryview]:
        """Yield the bytes of the next `count` records, each block until the next is asked for.

        Raises CloseError where there are fewer.
        """
        while count:
            if self._start == self._end and not self._has_more():
                raise CloseError(_CONTRADICTION)
            start = self._start
            ends, stays_open = _ends(self._buffer, start, self._end, self._in_quotes)
            if ends < count:
                self._start, self._in_quotes = self._end, stays_open
                count -= ends
            else:
                self._start = _nth_end(self._buffer, start, self._end, self._in_quotes, count)
                self._in_quotes = False
                count = 0
            yield self._view[start : self._start]

    def finish(self) -> None:
        """Raise CloseError where there are more."""
        if self._start < self._end or self._has_more():
            raise CloseError(_CONTRADICTION)

    def _has_more(self) -> bool:
        self._start, self._end = 0, self._stream.readinto(self._buffer) or 0
        return self._end > 0


def cut(file: Path, days: Sequence[Day]) -> Assembly:
    """Hash a file that has a header and then the rows of `days`, and find its segments.

    Raises CloseError where it has other rows, and OSError.
    """
    with file.open("rb", buffering=0) as stream:
        assembly, records = Assembly(len), Records(stream)
        for day in (HEADER, *days):
            assembly.extend(records.take(day.rows), day)
        records.finish()
    return assembly


def assemble(file: Path, days: Sequence[Day], earlier: Earlier, anew: Path | None) -> Assembly:
    """Write `file` from the days of `earlier` that did not change, and from `anew`.

    `anew` is a file like this with only the other days, where there are any. Raises SpoiltError
    where the earlier file is no longer what it was, CloseError where `anew` has other rows than its
    days, and OSError.
    """
    with contextlib.ExitStack() as opened:
        begun = earlier.begun(file, (HEADER, *days))
        taker = opened.enter_context(earlier.reading(after=len(begun)))
        assembly = Assembly(opened.enter_context(file.open("ab" if begun else "wb")).write, begun)
        if not begun:
            taker.take(HEADER, assembly)
        if anew:
            records = Records(opened.enter_context(anew.open("rb", buffering=0)))
            deque(records.take(HEADER.rows), maxlen=0)
        # The first segment is the header.
        for day in days[len(assembly.segments) - 1 :]:
            if day in earlier.days:
                taker.take(day, assembly)
            else:
                taker.part(assembly)
                assembly.extend(records.take(day.rows), day)
        if anew:
            records.finish()
    return assembly


def _ends(buffer: bytearray, start: int, end: int, in_quotes: bool) -> tuple[int, bool]:
    """The number of records that end in a part of `buffer`, and whether its end is in quotes."""
    if not in_quotes and buffer.find(b'"', start, end) < 0:
        return buffer.count(b"\n", start, end), False
    parts = buffer[start:end].split(b'"')
    return sum(part.count(b"\n") for part in parts[in_quotes::2]), in_quotes ^ (len(parts) % 2 == 0)


def _nth_end(buffer: bytearray, start: int, end: int, in_quotes: bool, count: int) -> int:
    """Where in `buffer` record number `count` ends, of those that end from `start` on."""
    while end - start > 1:
        middle = (start + end) // 2
        ends, stays_open = _ends(buffer, start, middle, in_quotes)
        if ends >= count:
            end = middle
        else:
            start, in_quotes, count = middle, stays_open, count - ends
    return end


def _read(file: Path) -> tuple[Path, dict[str, dict[str, Any]]]:
    """The package that an index is of, and its files; of one that cannot be read, none."""
    try:
        index = json.loads(file.read_text(encoding="utf-8"))
        if index["version"] != _INDEX_VERSION:
            return Path(), {}
        files = {
            name: {
                "fingerprint": entry["fingerprint"],
                "segments": [
                    Segment(Day(**segment["day"]), segment["end"], segment["sha256"])
                    for segment in entry["segments"]
                ],
            }
            for name, entry in index["files"].items()
        }
        return Path(index["package"]), files
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Path(), {}
