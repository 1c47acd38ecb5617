"""JSON lines and JSON arrays, record by record, with the digits of every number as written."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from json.encoder import encode_basestring
from typing import Any, Final

from pool_recon.blanks import BLANK

_BLANK: Final = re.compile(r"[ \t\n\r]*")


class _Written(str):
    """A piece of JSON text, which is as it is to be written."""

    __slots__ = ()


class JsonNumber(_Written):
    """A number of a JSON text: its digits as written."""

    __slots__ = ()


class JsonObject(list[tuple[str, Any]]):
    """The members of a JSON object in their order, names that come twice included."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class JsonRecord:
    """One record: its members, or None where it cannot be kept as such; `text` is as written.

    `names` are those of an object's members, without such as no text can hold.
    """

    members: JsonObject | None
    text: str
    names: tuple[str, ...] = ()


class BrokenArrayError(Exception):
    """A file is no JSON array. `str(error)` says why."""


class DeepElementError(Exception):
    """An element of an array is nested too deeply to be decoded. `str(error)` says which."""


def read_lines(lines: Iterable[str]) -> Iterator[JsonRecord]:
    """Yield the records of JSON `lines`; blank lines are none."""
    for line in lines:
        text = line.rstrip("\r\n")
        if not text.strip(BLANK):
            continue
        try:
            value = _DECODER.decode(text)
        except (ValueError, RecursionError):
            value = None
        yield _record(value, text)


def read_array(text: str) -> Iterator[JsonRecord]:
    """Yield the elements of the JSON array `text`.

    Raises:
        BrokenArrayError: `text` is not JSON, or no array.
        DeepElementError: an element is nested too deeply.
    """
    at = _skip(text, 0)
    if not text.startswith("[", at):
        raise BrokenArrayError("it does not begin with [")
    at = _skip(text, at + 1)
    more = not text.startswith("]", at)
    row = 0
    while more:
        row += 1
        try:
            value, end = _DECODER.raw_decode(text, at)
        except ValueError:
            raise BrokenArrayError(f"no JSON value at character {at + 1}") from None
        except RecursionError:
            raise DeepElementError(f"row {row}, which begins at character {at + 1}") from None
        yield _record(value, text[at:end])
        at = _skip(text, end)
        more = text.startswith(",", at)
        if more:
            at = _skip(text, at + 1)
        elif not text.startswith("]", at):
            raise BrokenArrayError(f"expected , or ] at character {at + 1}")
    if _skip(text, at + 1) != len(text):
        raise BrokenArrayError("text follows the closing ]")


def to_text(value: Any) -> str | None:
    """Return a JSON value as it lands: a string decoded, the rest as compact JSON, null as None."""
    if isinstance(value, str):
        return str(value)
    return None if value is None else compact(value)


def compact(value: Any) -> str:
    """Return `value` as JSON without blanks; numbers keep their digits, letters are not escaped."""
    parts: list[str] = []
    # What is still to be written, the next at the end: a value may be deeper than calls can be.
    waiting: list[Any] = [value]
    while waiting:
        match waiting.pop():
            case None:
                parts.append("null")
            case True:
                parts.append("true")
            case False:
                parts.append("false")
            case _Written() as text:
                parts.append(text)
            case str() as text:
                parts.append(encode_basestring(text))
            case JsonObject() as members:
                waiting.append(_Written("}"))
                for place in reversed(range(len(members))):
                    name, item = members[place]
                    comma = "," if place else ""
                    waiting += (item, _Written(f"{comma}{encode_basestring(name)}:"))
                parts.append("{")
            case items:
                waiting.append(_Written("]"))
                for place in reversed(range(len(items))):
                    waiting.append(items[place])
                    if place:
                        waiting.append(_Written(","))
                parts.append("[")
    return "".join(parts)


def _record(value: Any, text: str) -> JsonRecord:
    if not isinstance(value, JsonObject):
        return JsonRecord(None, text)
    names = tuple(name for name, _ in value)
    if "\\u" in text and _unstorable(value):
        names = tuple(name for name in dict.fromkeys(names) if not _unstorable(name))
        return JsonRecord(None, text, names)
    return JsonRecord(value, text, names)


def _unstorable(value: Any) -> bool:
    """Tell whether escapes spell a NUL or half a character, which no UTF-8 text can hold."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if "\0" in item or any("\ud800" <= character <= "\udfff" for character in item):
                return True
        elif isinstance(item, JsonObject):
            waiting.extend(chain.from_iterable(item))
        elif isinstance(item, list):
            waiting.extend(item)
    return False


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=JsonObject,
    parse_float=JsonNumber,
    parse_int=JsonNumber,
    parse_constant=_refuse,
)
