"""What a close says when it has ended: to a person as text, to a machine as one JSON object.

The keys of the object are described in docs/terminal.md. Amounts are the exact texts of
exceptions.csv; the order by size is by exact numbers too.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from pool_recon.console import plural, printable
from pool_recon.package import VIEW_SCHEMA
from pool_recon.restated import headline

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import duckdb

    from pool_recon.close import CloseRequest, CloseResult
    from pool_recon.loader import LoadSummary

SUMMARY_VERSION = 1

CLOSED, BLOCKED, COULD_NOT_RUN = "closed", "blocked", "could_not_run"

TOP_EXCEPTIONS = 5
TOP_LINES = 5

# The rule that warnings and approved findings can break too, while no blocking finding is left.
REVIEW_RULE = "exceptions_owned_and_reviewed"

# What a person opens first; the rest of the package is beside them.
_FILES = {
    "report": "report.html",
    "workbook": "close.xlsx",
    "exceptions": "exceptions.csv",
    "checklist": "checklist.csv",
    "manifest": "manifest.json",
}

# The kinds of subjects that `trace` finds by their id, and those of them that have a movement.
_TRACEABLE = frozenset({"order", "quote", "trade", "event", "ledger_entry", "funding"})
_OF_A_MOVEMENT = frozenset({"order", "quote", "trade"})
# The subject of a finding of a balance that was stated: whose it is, and at which moment.
_STATED_BALANCE = re.compile(
    r"(?P<balance>.*):(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z)", re.DOTALL
)


@dataclass(frozen=True)
class TopException:
    """A blocking finding that nobody approved, as text; `others` are more on the same case."""

    exception_id: str
    code: str
    subject_type: str
    subject_id: str
    environment: str
    asset: str
    amount_at_risk: str
    age_days: int
    owner: str
    next_review_date: str
    first_action: str
    is_approvable: bool
    others: int


@dataclass(frozen=True)
class OverdueReview:
    """A finding of any severity that nobody owns, or that was to be reviewed by now, as text."""

    exception_id: str
    code: str
    subject_type: str
    subject_id: str
    environment: str
    asset: str
    owner: str
    next_review_date: str
    is_approvable: bool


@dataclass(frozen=True)
class QuietDate:
    """A close date that no record is of; `newest_record_at` is None where there is no record."""

    newest_record_at: str | None

    @property
    def text(self) -> str:
        """What a person is told, without the date."""
        newest = self.newest_record_at
        return f"the newest is of {newest}" if newest else "there is none at all"


def read_quiet_date(connection: duckdb.DuckDBPyConnection) -> QuietDate | None:
    """Whether nothing happened on the close date: no order, quote, trade, event or entry is of it.

    Nothing is wrong with such a close, but a wrong date looks like it, and exports that did not
    arrive. Raises duckdb.Error where the warehouse cannot be read.
    """
    from pool_recon.trace.reader import moment_text
    from pool_recon.trace.streams import STREAMS

    newest = " union all ".join(
        f"select max(cast({stream.own_time} as timestamp)) as moment"
        f" from intermediate.{stream.in_force}"
        for stream in STREAMS.values()
    )
    ((newest_at, is_quiet),) = connection.execute(
        "select max(moment), coalesce(max(moment) < any_value(opening_at), true)"
        f" from ({newest}) cross join intermediate.int_close"
    ).fetchall()
    return QuietDate(moment_text(newest_at)) if is_quiet else None


def read_top_exceptions(
    connection: duckdb.DuckDBPyConnection, limit: int = TOP_EXCEPTIONS
) -> list[TopException]:
    """The blocking findings to look at first, one for each case: a trade, quote, order or row.

    What nobody can approve comes before all else. Amounts of different assets cannot be compared:
    the largest of every asset comes first, then the second of every asset; among equals the oldest.
    Raises duckdb.Error where the warehouse cannot be read.
    """
    rows = connection.execute(
        f"""
        with blocking as (
            select
                exceptions.*,
                coalesce(codes.is_approvable, false) as is_approvable,
                coalesce(transact_id, quote_id, partner_order_id, subject_id) as case_id,
                cast(age_days as bigint) as age,
                try_cast(amount_at_risk as decimal(38, 18)) as size
            from {VIEW_SCHEMA}.pkg_exceptions as exceptions
            left join reference.ref_findings as codes on exceptions.code = codes.code
            where exceptions.severity = 'blocking' and approval is distinct from 'approved'
        ),
        of_cases as (
            select
                *,
                count(*) over (partition by case_id) - 1 as others,
                row_number() over (
                    partition by case_id
                    order by is_approvable, size desc nulls last, age desc, code, exception_id
                ) as rank_in_case
            from blocking
        ),
        of_assets as (
            select
                *,
                row_number() over (
                    partition by is_approvable, size is null, asset
                    order by size desc nulls last, age desc, code, exception_id
                ) as rank_in_asset
            from of_cases
            where rank_in_case = 1
        )
        select
            exception_id, code, subject_type, subject_id, coalesce(environment, ''),
            coalesce(asset, ''), coalesce(amount_at_risk, ''), age, coalesce(owner, ''),
            coalesce(next_review_date, ''), coalesce(first_action, ''), is_approvable, others
        from of_assets
        order by
            rank_in_asset, is_approvable, size is null, age desc, asset, code, exception_id
        limit ?
        """,
        [limit],
    ).fetchall()
    return [TopException(*row) for row in rows]


def read_overdue_reviews(
    connection: duckdb.DuckDBPyConnection, limit: int = TOP_EXCEPTIONS
) -> list[OverdueReview]:
    """The findings that break REVIEW_RULE: those without an owner first, then the longest overdue.

    Raises duckdb.Error where the warehouse cannot be read.
    """
    rows = connection.execute(
        f"""
        select
            findings.exception_id, findings.code, findings.subject_type, findings.subject_id,
            coalesce(findings.environment, ''), coalesce(findings.asset, ''),
            coalesce(findings.owner, ''), coalesce(findings.next_review_date, ''),
            coalesce(codes.is_approvable, false)
        from {VIEW_SCHEMA}.pkg_exceptions as findings
        cross join intermediate.int_close as close
        left join reference.ref_findings as codes on findings.code = codes.code
        where
            findings.owner is null
            or findings.next_review_date is null
            or findings.next_review_date < close.close_date::varchar
        order by
            findings.owner is not null, findings.next_review_date, findings.severity, findings.code,
            findings.subject_type, findings.subject_id, findings.exception_id
        limit ?
        """,
        [limit],
    ).fetchall()
    return [OverdueReview(*row) for row in rows]


def close_summary(request: CloseRequest, result: CloseResult) -> dict[str, Any]:
    """The summary of a close that was written, as one JSON object."""
    verdict = result.verdict
    files = {
        name: str(result.package / file)
        for name, file in _FILES.items()
        if (result.package / file).is_file()
    }
    return _summary(request.close_date, request.exports, request.warehouse) | {
        "outcome": CLOSED if verdict.holds else BLOCKED,
        "exit_code": 0 if verdict.holds else 1,
        "landed": landed_summary(result.loaded),
        "quiet_date": vars(result.quiet_date) if result.quiet_date else None,
        "movements": {
            "total": sum(result.movements.values()),
            "by_state": result.movements,
            "match_rate_percent": result.match_rate,
        },
        "findings": {
            **_finding_counts(result),
            "by_code": [
                {
                    "code": count.code,
                    "severity": count.severity,
                    "findings": count.findings,
                    "first_action": count.first_action,
                }
                for count in result.findings
            ],
        },
        "rules": [
            {"rule": rule, "state": state, "findings": result.rule_findings.get(rule, 0)}
            for rule, state in verdict.rules.items()
        ],
        "defects": _defects(result),
        "top_exceptions": [vars(exception) for exception in result.top_exceptions],
        "overdue_reviews": [vars(review) for review in result.overdue_reviews],
        "restated_balances": [vars(balance) for balance in result.restated_balances],
        "register": (
            {
                "rows": result.register.rows,
                "unmatched_lines": list(result.register.unmatched_lines),
            }
            if result.register
            else None
        ),
        "package": str(result.package),
        "files": files,
        "next": _next(request, result)[1],
    }


def failure_summary(
    message: str,
    *,
    close_date: date | None = None,
    exports: Path | None = None,
    warehouse: Path | None = None,
) -> dict[str, Any]:
    """The summary of a close that could not run, as one JSON object with the same keys.

    What is None was not even read from the options.
    """
    return _summary(close_date, exports, warehouse) | {
        "outcome": COULD_NOT_RUN,
        "exit_code": 2,
        "message": message,
    }


def landed_summary(loaded: LoadSummary) -> dict[str, int]:
    """What one load did, as one JSON object."""
    return {
        "rows": loaded.rows_landed,
        "new_files": loaded.files_loaded,
        "known_files": loaded.files_skipped,
        "read_again": len(loaded.read_again),
        "outdated": len(loaded.outdated),
        "passed_over": len(loaded.passed_over),
    }


def load_summary(exports: Path, warehouse: str, loaded: LoadSummary) -> dict[str, Any]:
    """The summary of `pool-recon load`, as one JSON object."""
    return {
        "schema_version": SUMMARY_VERSION,
        "command": "load",
        "exports": str(exports),
        "warehouse": warehouse,
        "load_id": loaded.load_id,
        "landed": landed_summary(loaded),
        "by_export": [
            {
                "export": export.export_name,
                "rows": export.rows_landed,
                "new_files": export.files_loaded,
                "known_files": export.files_skipped,
            }
            for export in loaded.exports
        ],
    }


def close_text(request: CloseRequest, result: CloseResult, width: int) -> list[str]:
    """The summary of a close that was written, as lines of about `width` columns."""
    verdict = result.verdict
    holding = sum(state == "holds" for state in verdict.rules.values())
    title = _good("every rule holds") if verdict.holds else _bad("BLOCKED")
    rate = f" ({result.match_rate} %)" if result.match_rate else ""
    lines = [
        f"Close of {request.close_date}: {title}",
        f"  landed     {landed_text(result.loaded)}",
        *load_notes(result.loaded),
        *_quiet_line(request, result),
        f"  movements  {_movements(result.movements, rate)}",
        f"  findings   {', '.join(f'{n:,} {kind}' for kind, n in _finding_counts(result).items())}",
        f"  rules      {holding} of {len(verdict.rules)} hold",
        *_register_line(result),
        *_restated_line(result),
    ]
    lines.append(f"  package    {printable(result.package)}")
    files = [name for name in ("report.html", "close.xlsx") if (result.package / name).is_file()]
    if files:
        lines.append(f"  to read    {' and '.join(files)} in it")
    if verdict.holds:
        return lines
    lines += _failing_rules(result)
    for what, names in _defects(result).items():
        if names:
            lines += ["", _bold(_DEFECTS[what]), *(f"  {printable(name)}" for name in names)]
    lines += _first_exceptions(result, width)
    lines += _first_reviews(result, width)
    return [*lines, "", *_next_text(request, result)]


def _quiet_line(request: CloseRequest, result: CloseResult) -> list[str]:
    quiet = result.quiet_date
    return [f"  records    none of {request.close_date}; {quiet.text}"] if quiet else []


def landed_text(loaded: LoadSummary) -> str:
    """What one load did, in a few words."""
    known = f"{plural(loaded.files_skipped, 'file')} loaded before"
    if loaded.read_again:
        known += f" ({len(loaded.read_again):,} read again, for columns have other meanings now)"
    if not loaded.files_loaded:
        return f"nothing new, {known}"
    return (
        f"{plural(loaded.rows_landed, 'row')} of {plural(loaded.files_loaded, 'new file')}, {known}"
    )


def load_notes(loaded: LoadSummary) -> list[str]:
    """What a load did not read, as lines of a summary; the first file stands for all of them."""
    notes = {"outdated": outdated_text(loaded), "not read": passed_over_text(loaded)}
    return [f"  {name:<10} {printable(text)}" for name, text in notes.items() if text]


def outdated_text(loaded: LoadSummary) -> str | None:
    """Whose columns have other meanings now, and was not there to be read again, or None."""
    if not loaded.outdated:
        return None
    first, *others = loaded.outdated
    more = f" and {plural(len(others), 'more file')}" if others else ""
    meaning = f"means {first.contract_column}" if first.contract_column else "means nothing"
    return (
        f"{first.path}{more} (export {first.export_name}): the column {first.column_name!r} "
        f"{meaning} now, and the file is not there to be read again; put it back where it was"
    )


def passed_over_text(loaded: LoadSummary) -> str | None:
    """What looks like an export and was not read, with the names that are expected, or None."""
    if not loaded.passed_over:
        return None
    first, *others = loaded.passed_over
    more = f" and {len(others):,} more" if others else ""
    return (
        f"{first}{more}, not read: expected a name such as orders.csv, or a file of a known format "
        "in a folder such as orders; 'pool-recon doctor --exports' says which"
    )


# What keeps a close from being signed off without any finding, and how a person is told.
_DEFECTS = {
    "unchecked_rules": "Rules that could not be checked",
    "failed_checks": "Checks of the warehouse that fail (a defect of the data or of the project)",
    "failed_expectations": "Expectations that do not hold (expectations.html says more)",
    "unchecked_expectations": "Expectations that could not be checked",
    "disagreements": "Rules of which the test and checklist.csv say different things",
    "differing_readings": "Rules of which dbt and Great Expectations say different things",
}


def _defects(result: CloseResult) -> dict[str, list[str]]:
    verdict = result.verdict
    return {
        "unchecked_rules": [r for r, state in verdict.rules.items() if state == "not checked"],
        "failed_checks": list(verdict.failed_checks),
        # A rule that fails is named among the rules.
        "failed_expectations": [n for n in verdict.failed_expectations if n not in verdict.rules],
        "unchecked_expectations": list(verdict.unchecked_expectations),
        "disagreements": list(verdict.disagreements),
        "differing_readings": list(verdict.differing_readings),
    }


def _summary(
    close_date: date | None, exports: Path | None, warehouse: Path | None
) -> dict[str, Any]:
    """Every key of the summary, with nothing in those that only a close that ran can fill."""
    return {
        "schema_version": SUMMARY_VERSION,
        "command": "close",
        "outcome": None,
        "exit_code": None,
        "message": None,
        "close_date": None if close_date is None else str(close_date),
        "exports": None if exports is None else str(exports),
        "warehouse": None if warehouse is None else str(warehouse),
        "landed": None,
        "quiet_date": None,
        "movements": None,
        "findings": None,
        "rules": None,
        "defects": None,
        "top_exceptions": None,
        "overdue_reviews": None,
        "restated_balances": None,
        "register": None,
        "package": None,
        "files": None,
        "next": None,
    }


def _finding_counts(result: CloseResult) -> dict[str, int]:
    counts = {"blocking": 0, "warning": 0}
    for finding in result.findings:
        counts[finding.severity] = counts.get(finding.severity, 0) + finding.findings
    return counts | {"approved": result.approved}


def _movements(states: dict[str, int], rate: str) -> str:
    parts = ", ".join(
        f"{count:,} {state}{rate if state == 'matched' else ''}" for state, count in states.items()
    )
    return f"{sum(states.values()):,}" + (f": {parts}" if parts else "")


def _register_line(result: CloseResult) -> list[str]:
    use = result.register
    if use is None:
        return []
    if not use.unmatched_lines:
        return [f"  register   {plural(use.rows, 'row')}"]
    count = len(use.unmatched_lines)
    shown = ", ".join(str(line) for line in use.unmatched_lines[:TOP_LINES])
    more = ", ..." if count > TOP_LINES else ""
    verb, lines = ("matches", "line") if count == 1 else ("match", "lines")
    return [
        f"  register   {plural(use.rows, 'row')}; {count:,} of them {verb} no finding ({lines} "
        f"{shown}{more}, see register.csv)"
    ]


def _restated_line(result: CloseResult) -> list[str]:
    balances = result.restated_balances
    if not balances:
        return []
    first = balances[0]
    which = "" if len(balances) == 1 else "the first "
    name = f"{which}{first.asset} of {first.partner_id} ({first.environment})"
    step = f"{first.published} -> {first.restated} ({first.signed})"
    said = headline(len(balances), first.close_date)
    return [printable(f"  restated   {said}: {name}, {step}")]


def _failing_rules(result: CloseResult) -> list[str]:
    rules = [rule for rule, state in result.verdict.rules.items() if state == "fails"]
    if not rules:
        return []
    counts = [f"{result.rule_findings.get(rule, 0):,}" for rule in rules]
    longest, widest = max(map(len, rules)), max(map(len, counts))
    return [
        "",
        _bold("Rules that do not hold") + " (findings not approved)",
        *(
            f"  {rule:<{longest}}  {count:>{widest}}"
            + ("  approved ones too" if rule == REVIEW_RULE else "")
            for rule, count in zip(rules, counts, strict=True)
        ),
    ]


def _first_exceptions(result: CloseResult, width: int) -> list[str]:
    top = result.top_exceptions
    if not top:
        return []
    amounts = [_at_risk(exception) for exception in top]
    ages = ["new" if e.age_days == 0 else plural(e.age_days, "day") for e in top]
    wide, aged = max(7, *map(len, amounts)), max(3, *map(len, ages))
    indent = " " * (2 + wide + 2 + aged + 2)
    room = max(width - len(indent), 40)
    lines = [
        "",
        _bold("Look at these first")
        + " (most at risk of each asset; before all, what nobody can approve)",
        f"  {'at risk':>{wide}}  {'age':>{aged}}  finding; owner: first action",
    ]
    for exception, amount, age in zip(top, amounts, ages, strict=True):
        more = f" and {plural(exception.others, 'more finding')}" if exception.others else ""
        finding = f"{exception.code} of {exception.subject_type} {exception.subject_id}{more}"
        action = f"{exception.owner}: {exception.first_action}"
        first, *others = [*_wrapped(finding, room), *_wrapped(action, room)]
        lines.append(f"  {amount:>{wide}}  {age:>{aged}}  {first}")
        lines += [f"{indent}{line}" for line in others]
    left = sum(c.findings for c in result.findings if c.severity == "blocking")
    left -= sum(1 + exception.others for exception in top)
    if left > 0:
        lines.append(f"  and {plural(left, 'more blocking finding')}")
    return lines


def _first_reviews(result: CloseResult, width: int) -> list[str]:
    reviews = result.overdue_reviews
    if not reviews:
        return []
    indent = " " * 14
    room = max(width - len(indent), 40)
    lines = [
        "",
        _bold("Overdue reviews") + " (findings of any severity, for their owners to decide)",
        f"  {'was due':<10}  finding; owner",
    ]
    for review in reviews:
        finding = f"{review.code} of {review.subject_type} {review.subject_id}"
        first, *others = _wrapped(f"{finding}; {review.owner or 'nobody owns it'}", room)
        lines.append(f"  {review.next_review_date or '-':<10}  {first}")
        lines += [f"{indent}{line}" for line in others]
    left = result.rule_findings.get(REVIEW_RULE, 0) - len(reviews)
    if left > 0:
        lines.append(f"  and {left:,} more")
    return lines


def _at_risk(exception: TopException) -> str:
    if exception.amount_at_risk:
        return printable(f"{exception.amount_at_risk} {exception.asset}".strip())
    return "unknown" if exception.asset else "-"


def _wrapped(text: str, room: int) -> list[str]:
    return textwrap.wrap(printable(text), room, break_long_words=False, break_on_hyphens=False)


# What is next where the findings have no id to trace and can never be approved.
_BY_HAND = (
    "Do what is said of the findings above; the page of each code in docs/findings says more."
)


def _next_text(request: CloseRequest, result: CloseResult) -> list[str]:
    if not (result.top_exceptions or result.overdue_reviews):
        return [
            _bold("Next"),
            "  No finding explains this, so it is no matter for finance. Mend what is named above;",
            "  where that says too little, see what dbt says with pool-recon --debug close ...",
        ]
    finding, commands = _next(request, result)
    how = _how(result, finding)
    if finding is None:
        return [_bold("Next") + f" ({how})", f"  {_BY_HAND}"]
    return [
        _bold("Next") + printable(f", for {_named(finding)}"),
        f"  ({how})",
        *(f"  {command}" for command in commands),
    ]


def _how(result: CloseResult, finding: TopException | OverdueReview | None) -> str:
    """What helps; `finding` is the one that the commands are about."""
    if not result.top_exceptions:
        return "decide, or set a new date with a reason, then close again with the register"
    if finding is None:
        # What can be approved has a command for that.
        return "none of these findings can be approved"
    if not finding.is_approvable:
        return "correct the exports, then close again; this finding cannot be approved"
    return "correct the exports or approve the finding, then close again"


def _named(finding: TopException | OverdueReview) -> str:
    return f"{finding.code} of {finding.subject_type} {finding.subject_id}"


def _next(
    request: CloseRequest, result: CloseResult
) -> tuple[TopException | OverdueReview | None, list[str]]:
    """The first exception that there are commands for, and these.

    Where overdue reviews alone block, the first of them. None where no finding blocks the close, or
    where there is no command for those that do.
    """
    for finding in result.top_exceptions or result.overdue_reviews:
        commands = [*_looking(request, finding), *_approving(request, result, finding)]
        if commands:
            return finding, commands
    return None, []


def _looking(request: CloseRequest, finding: TopException | OverdueReview) -> Iterator[str]:
    """The commands that show what a finding is about."""
    warehouse = ("--warehouse", request.warehouse)
    subject = finding.subject_id
    if finding.subject_type in _TRACEABLE:
        # What begins with a dash would be read as an option.
        found = ("--", subject) if subject.startswith("-") else (subject,)
        yield _command("trace", *warehouse, *found)
        if finding.subject_type in _OF_A_MOVEMENT:
            yield _command("explain", "movement", *warehouse, *found)
    stated = _STATED_BALANCE.fullmatch(subject) if finding.subject_type == "balance" else None
    before, after = f"{finding.environment}:", f":{finding.asset}"
    if stated and stated["balance"].startswith(before) and stated["balance"].endswith(after):
        partner = stated["balance"].removeprefix(before).removesuffix(after)
        with contextlib.suppress(ValueError, OverflowError):
            start = datetime.fromisoformat(stated["moment"]) - timedelta(days=1)
            options = {
                "--partner": partner,
                "--environment": finding.environment,
                "--asset": finding.asset,
                "--from": start.isoformat().replace("+00:00", "Z"),
                "--to": stated["moment"],
            }
            given = (f"{option}={value}" for option, value in options.items())
            yield _command("explain", "balance", *warehouse, *given)


def _approving(
    request: CloseRequest, result: CloseResult, finding: TopException | OverdueReview
) -> Iterator[str]:
    """The command that approves a finding, if any can."""
    if not finding.is_approvable:
        return
    register = ("--register", request.register) if request.register else ()
    command = _command("approve", finding.exception_id, "--package", result.package, *register)
    command += " --approved-by NAME --reason TEXT"
    # Without these the next close would be blocked by REVIEW_RULE.
    if not finding.owner:
        command += " --owner NAME"
    if finding.next_review_date < str(request.close_date):
        command += " --next-review DATE"
    yield command


def _command(*arguments: object) -> str:
    words: Iterable[str] = ("pool-recon", *map(str, arguments))
    return printable(shlex.join(words))


def _bold(text: str) -> str:
    return click.style(text, bold=True)


def _good(text: str) -> str:
    return click.style(text, fg="green", bold=True)


def _bad(text: str) -> str:
    return click.style(text, fg="red", bold=True)
