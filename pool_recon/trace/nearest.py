"""What is known of an id that no record carries: findings of that id, or the ids most like it."""

from __future__ import annotations

from pool_recon.trace.reader import Reader
from pool_recon.trace.streams import STREAMS

LIMIT = 5

_IDS_OF_FINDINGS = ("transact_id", "quote_id", "partner_order_id", "ledger_entry_id", "event_id")


def findings_called(reader: Reader, wanted: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The findings whose subject or own id is `wanted`, and the records that these are about."""
    parameters: dict[str, object] = {"wanted": wanted, "limit": LIMIT}
    of_partner = ""
    if reader.partner is not None:
        parameters |= {"partner": reader.partner, "default": reader.default_partner}
        of_partner = " and coalesce(partner_id, $default) = $partner"
    findings = reader.rows(
        f"select code, subject_type, subject_id, {', '.join(_IDS_OF_FINDINGS)}"
        " from marts.fct_exceptions where (exception_id = $wanted or subject_id = $wanted)"
        f"{of_partner} order by code, exception_id limit $limit",
        **parameters,
    )
    ids = (row[column] for row in findings for column in _IDS_OF_FINDINGS)
    return (
        tuple(f"{row['code']} of {row['subject_type']} {row['subject_id']}" for row in findings),
        tuple(dict.fromkeys(id_ for id_ in ids if id_ is not None))[:LIMIT],
    )


def nearest_ids(reader: Reader, wanted: str) -> tuple[str, ...]:
    """Up to five ids like `wanted`: beginnings and ends of it first, then by edit distance.

    One slip leaves one half of an id as it was, so only ids that share a half are measured. Where
    there are none, the records' own ids are compared by their letters.
    """
    if not wanted:
        return ()
    # Also bytes that are no text may be a slip.
    wanted = wanted.encode("utf-8", "replace").decode("utf-8")
    half = (len(wanted) + 1) // 2
    parameters: dict[str, object] = {"wanted": wanted, "limit": LIMIT}
    if reader.partner is not None:
        parameters |= {"partner": reader.partner, "default": reader.default_partner}
    found = reader.rows(
        f"select id from ({_ids(reader, is_own_only=False)}) where starts_with(id, $head) "
        "or ends_with(id, $tail) or contains(lower(id), lower($wanted)) "
        "order by not contains(lower(id), lower($wanted)), levenshtein(lower(id), lower($wanted)), "
        "id limit $limit",
        head=wanted[:half],
        tail=wanted[-half:],
        **parameters,
    )
    if not found:
        found = reader.rows(
            f"select id from ({_ids(reader, is_own_only=True)}) "
            "order by jaro_winkler_similarity(id, $wanted) desc, id limit $limit",
            **parameters,
        )
    return tuple(row["id"] for row in found)


def _ids(reader: Reader, *, is_own_only: bool) -> str:
    """A query for the ids of the records in force; with a partner, of that partner's alone."""
    condition = "" if reader.partner is None else "and coalesce(partner_id, $default) = $partner"
    return " union ".join(
        f"select {column} as id from intermediate.{stream.in_force} "
        f"where {column} is not null {condition}"
        for stream in STREAMS.values()
        for column in ((stream.key,) if is_own_only else (stream.key, *stream.shared))
    )
