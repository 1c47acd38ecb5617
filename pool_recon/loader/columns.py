"""How the columns of a file become the columns of an export."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pool_recon import reference
from pool_recon.blanks import BLANK
from pool_recon.errors import CloseError
from pool_recon.loader.discovery import ExportFile
from pool_recon.masking import mask

_NOISE = re.compile(r"[ \t\n\r\v\f_-]+")


@dataclass(frozen=True)
class FileColumn:
    """A column of a file: its position from 1, its name as written, and what it stands for."""

    position: int
    name: str
    contract_column: str | None


def fold(name: str) -> str:
    """Return the form in which names are compared: lower case, without blanks, ``-`` and ``_``."""
    return _NOISE.sub("", name).lower()


def candidates(export_name: str) -> dict[str, list[str]]:
    """Return, for each column of an export, the folded names that it may have, best first.

    An alias that is another column's own name is left out: a column's own name always wins.

    Raises:
        CloseError: an alias is blank, or stands for two columns.
    """
    columns = reference.export_columns(export_name)
    stands_for = {fold(column.name): column.name for column in columns}
    own = frozenset(stands_for)
    names = {column.name: [fold(column.name)] for column in columns}
    for alias in reference.column_aliases(export_name):
        folded = fold(alias.alias)
        if not folded:
            raise CloseError(
                f"seeds/ref_column_aliases.csv: in the export {export_name} an alias of "
                f"{alias.column_name} is blank; expected what else a file calls the column"
            )
        if folded in own:
            continue
        other = stands_for.setdefault(folded, alias.column_name)
        if other != alias.column_name:
            raise CloseError(
                f"seeds/ref_column_aliases.csv: in the export {export_name} the alias "
                f"{alias.alias} stands for {other} and for {alias.column_name}; expected one"
            )
        names[alias.column_name].append(folded)
    return names


def match_columns(file: ExportFile, names: Sequence[str]) -> list[FileColumn]:
    """Match the column names of a file, as written, with the columns of its export.

    Columns without a name (spreadsheets write them at the end of a header) are unknown columns.

    Raises:
        CloseError: two columns have the same name, or a required column is missing.
    """
    first_of: dict[str, str] = {}
    for name in names:
        folded = fold(name)
        if folded in first_of:
            raise same_name_twice(file, first_of[folded], name)
        if folded:
            first_of[folded] = name
    columns = understood(file.export_name, names)
    found = {column.contract_column for column in columns}
    missing = [
        column.name
        for column in reference.export_columns(file.export_name)
        if column.is_column_required and column.name not in found
    ]
    if missing:
        raise file.error(_missing_message(file.export_name, missing, names))
    return columns


def understood(export_name: str, names: Sequence[str]) -> list[FileColumn]:
    """Say what columns of these names stand for in an export, whether that is enough or not.

    Raises:
        CloseError: an alias is blank, or stands for two columns.
    """
    positions: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        positions.setdefault(fold(name), position)
    # Several columns may have the empty name.
    positions.pop("", None)
    stands_for: dict[int, str] = {}
    for column, accepted in candidates(export_name).items():
        winner = next((positions[name] for name in accepted if name in positions), None)
        if winner is not None:
            stands_for[winner] = column
    return [FileColumn(p, name, stands_for.get(p)) for p, name in enumerate(names, start=1)]


def same_name_twice(file: ExportFile, first: str, second: str) -> CloseError:
    """Return the error of two columns that have one name."""
    spelled = repr(first) if first == second else f"{first!r} and {second!r}"
    return file.error(
        f"the same column name twice: {spelled}; expected each column once "
        "(case, blanks, - and _ do not count)"
    )


def wrong_separator(names: Sequence[str]) -> str:
    """Say what to change in a file whose header was not written with commas; nothing for others.

    Excel writes what it separates values by, and ``sep=`` with it, as the first line of a file.
    """
    first = names[0].strip(BLANK) if names else ""
    is_of_excel = first.lower().startswith("sep=")
    if len(names) == 1 and (separator := next((c for c in ";\t|" if c in names[0]), "")):
        line = ", and without the line sep=" if is_of_excel else ""
        return f"write the file with commas, not with {separator!r}{line}"
    return "take out the line sep=, which only Excel understands" if is_of_excel else ""


def _missing_message(export_name: str, missing: list[str], names: Sequence[str]) -> str:
    other: dict[str, list[str]] = {column: [] for column in missing}
    for alias in reference.column_aliases(export_name):
        if alias.column_name in other:
            other[alias.column_name].append(alias.alias)
    wanted = ", ".join(
        f"{column} (or {', '.join(aliases)})" if aliases else column
        for column, aliases in other.items()
    )
    found = mask(", ".join(repr(name) for name in names[:40])) or "none"
    message = f"a required column is missing: expected {wanted}; found {found}"
    if remedy := wrong_separator(names):
        return f"{message}; {remedy}"
    if names:
        return f"{message}; a name of your own goes into seeds/ref_column_aliases.csv"
    return message
