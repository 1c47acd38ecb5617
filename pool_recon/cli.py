"""The command line: `pool-recon`.

Exit codes: 0 done, and every rule of the close holds; 1 the close is blocked, everything is
written; 2 it could not run, one line on stderr says why, and nothing was changed.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pool_recon import __version__
from pool_recon.errors import CloseError

if TYPE_CHECKING:
    from pool_recon.close import CloseResult, Progress
    from pool_recon.loader import LoadSummary
    from pool_recon.trace import Missing, Packet

EXIT_DONE = 0
EXIT_BLOCKED = 1
EXIT_NOT_FOUND = 1
EXIT_COULD_NOT_RUN = 2

DEFAULT_OUT = Path("out")
DEFAULT_REGISTER = Path("exception_register.csv")
WAREHOUSE_NAME = "pool_recon.duckdb"
TOP_CODES = 5
TOP_LINES = 5


def calendar_date(text: str) -> date:
    """The date that `text` states as YYYY-MM-DD; no other notation counts."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise click.BadParameter(f"{text!r} is not a date written as YYYY-MM-DD.")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not in the calendar.") from None


FOLDER = click.Path(exists=True, file_okay=False, readable=True, path_type=Path)
NEW_FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
DATE = "YYYY-MM-DD"


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="pool-recon")
@click.option("--debug", is_flag=True, help="Show the traceback of an error, and what dbt says.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Reconcile 0Pools exports and close a business date.

    \b
    Try it on made-up exports:
      pool-recon simulate --orders 1000 --days 3 --start 2026-06-28 --out exports
      pool-recon close --exports exports --close-date 2026-06-30

    Exit codes: 0 done and every rule holds, 1 the close is blocked (everything is written),
    2 it could not run (one line says why, nothing is changed).
    """
    ctx.obj = {"debug": debug}
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@cli.command()
@click.option(
    "--exports", required=True, type=FOLDER, help="Folder with the raw exports of all days so far."
)
@click.option(
    "--close-date",
    required=True,
    type=calendar_date,
    metavar=DATE,
    help="The business date to close; its end is the cut-off.",
)
@click.option(
    "--out",
    type=NEW_FOLDER,
    default=DEFAULT_OUT,
    show_default=True,
    help="Folder for packages; this one becomes OUT/YYYY-MM-DD, replaced whole.",
)
@click.option(
    "--warehouse",
    type=NEW_FILE,
    envvar="POOL_RECON_WAREHOUSE",
    help=f"DuckDB file with everything landed so far.  [default: OUT/{WAREHOUSE_NAME}]",
)
@click.option(
    "--register", type=FILE, help="Exception register: the CSV file with approvals and owners."
)
@click.option(
    "--time-zone",
    envvar="POOL_RECON_TIME_ZONE",
    metavar="NAME",
    help="Zone whose midnight ends the business date, such as Europe/Berlin.  [default: UTC]",
)
@click.option(
    "--workbook-rows",
    type=click.IntRange(min=1),
    envvar="POOL_RECON_WORKBOOK_ROWS",
    metavar="ROWS",
    help="Most rows of a file on a sheet of close.xlsx; the files are whole."
    "  [default: 20000, of exceptions 100000]",
)
@click.pass_obj
def close(
    options: dict[str, bool],
    exports: Path,
    close_date: date,
    out: Path,
    warehouse: Path | None,
    register: Path | None,
    time_zone: str | None,
    workbook_rows: int | None,
) -> int:
    """Load exports, reconcile them and write the close package.

    Lands what is new in the exports, builds and tests the warehouse, and writes the package:
    reconciliation.csv (every movement), exceptions.csv (what to act on), checklist.csv (the rules)
    and more, with manifest.json over all of it. Run again whenever you like: files already loaded
    are skipped, and the same rows give the same package.

    \b
    Examples:
      pool-recon close --exports exports --close-date 2026-06-30
      pool-recon close --exports exports --close-date 2026-06-30 --register register.csv \\
          --out closes --warehouse /data/pool_recon.duckdb --time-zone Europe/Berlin
    """
    from pool_recon.close import CloseRequest
    from pool_recon.close import close as run

    request = CloseRequest(
        exports=exports,
        close_date=close_date,
        out=out,
        warehouse=warehouse or out / WAREHOUSE_NAME,
        register=register,
        time_zone=time_zone,
        is_debug=options["debug"],
        workbook_rows=workbook_rows,
    )
    with _progress() as progress:
        result = run(request, progress)
    _say(_close_report(result, close_date))
    return EXIT_DONE if result.verdict.holds else EXIT_BLOCKED


@cli.command()
@click.option("--exports", required=True, type=FOLDER, help="Folder with the raw exports.")
@click.option(
    "--warehouse",
    type=NEW_FILE,
    envvar="POOL_RECON_WAREHOUSE",
    default=DEFAULT_OUT / WAREHOUSE_NAME,
    show_default=True,
    help="DuckDB file to land them in.",
)
def load(exports: Path, warehouse: Path) -> int:
    """Land exports in the warehouse and build nothing.

    All files or none. Afterwards dbt can run on the warehouse by itself.

    \b
    Example:
      pool-recon load --exports exports --warehouse out/pool_recon.duckdb
      dbt build --vars 'close_date: 2026-06-30'
    """
    from pool_recon.close import load as run

    with _progress() as progress:
        loaded = run(exports, warehouse, progress)
    _say([f"Loaded into {warehouse}: {_landed(loaded)}"])
    return EXIT_DONE


@cli.command()
@click.argument("exception_id", metavar="ID")
@click.option("--approved-by", required=True, metavar="NAME", help="Who approves; not the owner.")
@click.option("--reason", required=True, metavar="TEXT", help="Why the finding may stand.")
@click.option("--owner", metavar="NAME", help="Who owns the finding.  [default: as before]")
@click.option(
    "--expires",
    type=calendar_date,
    metavar=DATE,
    help="The last close date that it counts for.  [default: it never expires]",
)
@click.option(
    "--next-review",
    type=calendar_date,
    metavar=DATE,
    help="When the finding is to be looked at next.  [default: as before]",
)
@click.option(
    "--approved-on",
    type=calendar_date,
    metavar=DATE,
    help="When it was approved.  [default: the close date of the package]",
)
@click.option(
    "--register",
    type=NEW_FILE,
    default=DEFAULT_REGISTER,
    show_default=True,
    help="Exception register to write the row into.",
)
@click.option(
    "--package",
    type=FOLDER,
    help=f"Close package that shows the finding.  [default: the newest in {DEFAULT_OUT}]",
)
@click.option("--exceptions", type=FILE, help="Its exceptions.csv, instead of --package.")
def approve(
    exception_id: str,
    approved_by: str,
    reason: str,
    owner: str | None,
    expires: date | None,
    next_review: date | None,
    approved_on: date | None,
    register: Path,
    package: Path | None,
    exceptions: Path | None,
) -> int:
    """Approve a finding: write its row into the exception register.

    ID is the exception_id of exceptions.csv. The row is tied to the evidence that the finding shows
    now, and takes the place of an earlier row for the same finding. It counts once the close is run
    again with the register.

    \b
    Example:
      pool-recon approve 0c7f4a2be1d94d1f8a52c3b7e6f09d14 --owner 'finance operations' \\
          --approved-by 'Ada Controller' --reason 'Confirmed by the bank.' --expires 2026-07-31
    """
    from pool_recon.register import EXCEPTIONS_FILE, Approval, newest_package
    from pool_recon.register import approve as run

    if package and exceptions:
        raise click.UsageError("Give --package or --exceptions, not both.")
    if exceptions is None:
        exceptions = (package or newest_package(DEFAULT_OUT)) / EXCEPTIONS_FILE
    approved = run(
        exceptions,
        register,
        Approval(exception_id, approved_by, reason, owner, expires, next_review, approved_on),
    )
    row = approved.row
    until = f" up to {row.expires_on}" if row.expires_on else ""
    replaced = ", in place of the row that was there" if approved.is_replacement else ""
    lines = [
        f"Approved{until}: {row.code} of {row.subject_type} {row.subject_id}",
        f"  written to {register}, line {row.line_number}{replaced}",
    ]
    if not approved.has_evidence:
        lines.append("  without evidence: the register has no column evidence_hash")
    lines.append(f"Have the change reviewed, then close again with --register {register}")
    _say(lines)
    return EXIT_DONE


@cli.command()
@click.option(
    "--warehouse",
    required=True,
    type=FILE,
    envvar="POOL_RECON_WAREHOUSE",
    help="DuckDB file that a close has built.",
)
@click.option("--package", type=FOLDER, help="Close package whose CSV files are judged with it.")
def validate(warehouse: Path, package: Path | None) -> int:
    """Judge a close again with Great Expectations, and change nothing.

    States the rules of the checklist and what every mart promises, and with --package what the
    CSV files promise, on its own beside the tests of dbt. Judges the close date that the
    warehouse was last built for.

    \b
    Examples:
      pool-recon validate --warehouse out/pool_recon.duckdb
      pool-recon validate --warehouse out/pool_recon.duckdb --package out/2026-06-30
    """
    from pool_recon.expectations import Outcome
    from pool_recon.expectations import validate as run

    with _progress() as progress:
        progress("judging the close")
        reading = run(warehouse, package)
    passed = len(reading.results) - len(reading.failed) - len(reading.not_checked)
    lines = [
        f"Close of {reading.close_date}: {passed} of {_plural(len(reading.results), 'expectation')}"
        " hold"
    ]
    for result in reading.results:
        if result.outcome is Outcome.FAILED:
            count = _plural(result.unexpected_rows or 0, "unexpected row")
            lines.append(f"  {result.expectation.name}: {count}")
        elif result.outcome is Outcome.NOT_CHECKED:
            lines.append(f"  {result.expectation.name}: could not be checked: {result.reason}")
    lines += [f"  {rule}: dbt says otherwise" for rule in reading.disagreements]
    _say(lines)
    return EXIT_DONE if reading.holds else EXIT_BLOCKED


BUILT_WAREHOUSE = click.option(
    "--warehouse",
    type=NEW_FILE,
    envvar="POOL_RECON_WAREHOUSE",
    default=DEFAULT_OUT / WAREHOUSE_NAME,
    show_default=True,
    help="DuckDB file that a close has built.",
)
AS_JSON = click.option("--json", "is_json", is_flag=True, help="One JSON object, for a ticket.")


@cli.command()
@click.argument("wanted", metavar="ID")
@BUILT_WAREHOUSE
@click.option("--partner", metavar="P", help="Show nothing of any other partner.")
@AS_JSON
def trace(wanted: str, warehouse: Path, partner: str | None, is_json: bool) -> int:
    """Show everything about an id: the support packet.

    ID is a partner order, quote, transact, idempotency key, request, event, ledger entry, ledger
    ref or funding reference. Shows the movements that it is on: every status with its time and
    source, every ledger entry, the clocks, the findings with what to do first, and the landed row
    of each record. Exit code 1: nothing has the id; the nearest ones are named.

    \b
    Examples:
      pool-recon trace txn_test_456
      pool-recon trace req_8f2c --partner acme --json > ticket.json
    """
    from pool_recon.loader.masking import mask
    from pool_recon.trace import trace as run
    from pool_recon.trace import trace_text

    return _answer(run(warehouse, mask(wanted), partner), trace_text, is_json)


@cli.group()
def explain() -> None:
    """Say why a balance moved, or why a movement is in its state."""


@explain.command("balance")
@BUILT_WAREHOUSE
@click.option("--partner", required=True, metavar="P", help="Whose balance.")
@click.option("--asset", required=True, metavar="A", help="In which asset.")
@click.option("--environment", default="live", show_default=True, help="In which environment.")
@click.option("--from", "begin", required=True, metavar="T", help="The first moment.")
@click.option("--to", "end", required=True, metavar="T", help="The second moment; not included.")
@AS_JSON
def explain_balance(
    warehouse: Path,
    partner: str,
    asset: str,
    environment: str,
    begin: str,
    end: str,
    is_json: bool,
) -> int:
    """List the entries that sum exactly to what a balance moved by.

    T is YYYY-MM-DDTHH:MM:SSZ, or a date alone for its start in the business time zone. A balance
    at a moment is the sum of everything before it.

    \b
    Example:
      pool-recon explain balance --partner acme --asset EUR --from 2026-06-30 --to 2026-07-01
    """
    from pool_recon.trace import balance_text
    from pool_recon.trace import explain_balance as run

    found = run(
        warehouse, partner=partner, asset=asset, environment=environment, begin=begin, end=end
    )
    return _answer(found, balance_text, is_json)


@explain.command("movement")
@click.argument("wanted", metavar="ID")
@BUILT_WAREHOUSE
@click.option("--partner", metavar="P", help="Show nothing of any other partner.")
@AS_JSON
def explain_movement(wanted: str, warehouse: Path, partner: str | None, is_json: bool) -> int:
    """Say why the movements of an id are in their states.

    Every condition of the state, in the order in which they are asked, with the values that it
    saw; the steps to the effective status; and every finding with what was expected.

    \b
    Example:
      pool-recon explain movement txn_test_456
    """
    from pool_recon.loader.masking import mask
    from pool_recon.trace import explain_movement as run
    from pool_recon.trace import movement_text

    return _answer(run(warehouse, mask(wanted), partner), movement_text, is_json)


@cli.command()
@click.option("--orders", required=True, type=click.IntRange(min=1), help="How many orders.")
@click.option("--out", required=True, type=NEW_FOLDER, help="New folder to write the exports into.")
@click.option(
    "--days",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Over how many days; every day has its files.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed gives the same bytes."
)
@click.option(
    "--start",
    type=calendar_date,
    metavar=DATE,
    default="2026-06-01",
    show_default=True,
    help="The first day.",
)
@click.option(
    "--faults",
    metavar="CODE[:COUNT],...",
    default="",
    help="Findings to plant by code, or `all`; without, the exports are clean.",
)
@click.option(
    "--format",
    "file_format",
    metavar="EXTENSION",
    default="csv",
    show_default=True,
    help="How to write the files, such as csv.gz, jsonl or parquet.",
)
def simulate(
    orders: int, out: Path, days: int, seed: int, start: date, faults: str, file_format: str
) -> int:
    """Write made-up exports of any size, clean unless faults are asked for.

    With faults, OUT/_expected_findings.csv says what a close of the last day is to find.

    \b
    Examples:
      pool-recon simulate --orders 1000 --days 3 --start 2026-06-28 --out exports
      pool-recon simulate --orders 200 --days 2 --faults missing_webhook:5 --out bad
    """
    from pool_recon.simulate import simulate as run

    codes = [code.strip() for code in faults.split(",") if code.strip()]
    with _progress() as progress:
        progress("simulating")
        run(
            out,
            orders=orders,
            days=days,
            seed=seed,
            start=start,
            faults=codes,
            file_format=file_format,
        )
    last = start + timedelta(days=days - 1)
    _say(
        [
            f"Simulated {_plural(orders, 'order')} from {start} to {last} in {out}. To close them:",
            f"  pool-recon close --exports {out} --close-date {last}",
        ]
    )
    return EXIT_DONE


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code, with one line on stderr for an error."""
    sys.exit(_run(sys.argv[1:] if arguments is None else list(arguments)))


def _run(arguments: list[str]) -> int:
    try:
        return int(cli.main(arguments, prog_name="pool-recon", standalone_mode=False) or 0)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "pool-recon"
        return _could_not_run(f"{error.format_message()} See '{command} --help'.")
    except click.ClickException as error:
        return _could_not_run(error.format_message())
    except CloseError as error:
        if "--debug" in arguments:
            traceback.print_exc()
        return _could_not_run(str(error))
    except (click.Abort, KeyboardInterrupt):
        return _could_not_run("interrupted; nothing was changed")
    except Exception as error:
        if "--debug" in arguments:
            traceback.print_exc()
        from pool_recon.loader.masking import mask

        reason = mask(f"{type(error).__name__}: {error}")
        return _could_not_run(f"internal error: {reason}; 'pool-recon --debug ...' shows where")


def _could_not_run(message: str) -> int:
    click.echo(f"pool-recon: {' '.join(message.split())}", err=True)
    return EXIT_COULD_NOT_RUN


def _answer(found: Packet | Missing, as_text: Callable[[Packet], list[str]], is_json: bool) -> int:
    """Print what was found, or say on stderr that nothing was; return the exit code."""
    from pool_recon.trace import Missing, printable

    if isinstance(found, Missing):
        click.echo(f"pool-recon: {printable(found.message)}", err=True)
        for name in found.nearest:
            click.echo(f"  {found.label}: {printable(name)}", err=True)
        return EXIT_NOT_FOUND
    _say([json.dumps(found, ensure_ascii=False, indent=2)] if is_json else as_text(found))
    return EXIT_DONE


def _say(lines: Sequence[str]) -> None:
    try:
        click.echo("\n".join(lines))
    except BrokenPipeError:
        # Whoever reads has stopped; the verdict is in the exit code all the same.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _progress() -> Iterator[Progress]:
    """Yield what shows the stage of the work: a line on a terminal, else nothing."""
    if not sys.stderr.isatty():
        yield lambda _stage: None
        return
    began = time.monotonic()

    def show(stage: str) -> None:
        click.echo(f"\r\x1b[K{time.monotonic() - began:5.0f} s  {stage} ...", nl=False, err=True)

    try:
        yield show
    finally:
        click.echo("\r\x1b[K", nl=False, err=True)


def _close_report(result: CloseResult, close_date: date) -> list[str]:
    verdict = result.verdict
    holding = sum(state == "holds" for state in verdict.rules.values())
    title = "every rule holds" if verdict.holds else "BLOCKED"
    lines = [
        f"Close of {close_date}: {title}",
        f"  landed     {_landed(result.loaded)}",
        f"  movements  {_counted(result.movements)}",
        f"  findings   {_finding_counts(result)}",
        f"  rules      {holding} of {len(verdict.rules)} hold",
        *_register_report(result),
        f"  package    {result.package}",
    ]
    if not verdict.holds:
        lines += ["", *_why_blocked(result), "", *_next_step(result)]
    return lines


def _register_report(result: CloseResult) -> list[str]:
    use = result.register
    if use is None:
        return []
    if not use.unmatched_lines:
        return [f"  register   {_plural(use.rows, 'row')}"]
    count = len(use.unmatched_lines)
    shown = ", ".join(str(line) for line in use.unmatched_lines[:TOP_LINES])
    more = ", ..." if count > TOP_LINES else ""
    verb = "matches" if count == 1 else "match"
    return [
        f"  register   {_plural(use.rows, 'row')}; {count:,} of them {verb} no finding (line "
        f"{shown}{more}, see register.csv)"
    ]


def _why_blocked(result: CloseResult) -> list[str]:
    verdict = result.verdict
    lines = []
    for rule, state in verdict.rules.items():
        if state == "not checked":
            lines.append(f"  {rule}: could not be checked")
        elif state == "fails":
            lines.append(f"  {rule}: {_plural(result.rule_findings.get(rule, 0), 'finding')}")
    lines += [f"  {rule}: its test and checklist.csv disagree" for rule in verdict.disagreements]
    lines += [
        f"  {rule}: dbt and Great Expectations disagree" for rule in verdict.differing_readings
    ]
    if lines:
        lines.insert(0, "Rules that do not hold:")
    if verdict.failed_checks:
        lines += ["Checks of the warehouse that fail (a defect of the data or of the project):"]
        lines += [f"  {name}" for name in verdict.failed_checks]
    promises = [name for name in verdict.failed_expectations if name not in verdict.rules]
    promises += [f"{name}: could not be checked" for name in verdict.unchecked_expectations]
    if promises:
        lines.append("Expectations that do not hold; expectations.html in the package says more:")
        lines += [f"  {name}" for name in promises]
    blocking = [count for count in result.findings if count.severity == "blocking"]
    if blocking:
        lines.append("Most frequent findings, and the first thing to do:")
        lines += [
            f"  {count.findings:>6,} {count.code}: {count.first_action}"
            for count in blocking[:TOP_CODES]
        ]
        if len(blocking) > TOP_CODES:
            lines.append(f"         and {len(blocking) - TOP_CODES} more codes")
    return lines
    return lines


def _next_step(result: CloseResult) -> list[str]:
    if any(finding.severity == "blocking" for finding in result.findings):
        return [
            f"Next: work through {result.package / 'exceptions.csv'}, owner by owner; correct the",
            "exports or approve the finding; then run the same command again.",
        ]
    return [
        "Next: no finding explains this, so it is no matter for finance. See what dbt says with",
        "pool-recon --debug close ..., and mend the data or the project.",
    ]


def _landed(loaded: LoadSummary) -> str:
    known = f"{_plural(loaded.files_skipped, 'file')} loaded before"
    if not loaded.files_loaded:
        return f"nothing new, {known}"
    return (
        f"{_plural(loaded.rows_landed, 'row')} of {_plural(loaded.files_loaded, 'new file')}, "
        f"{known}"
    )


def _finding_counts(result: CloseResult) -> str:
    counts = {"blocking": 0, "warning": 0}
    for finding in result.findings:
        counts[finding.severity] = counts.get(finding.severity, 0) + finding.findings
    counts["approved"] = result.approved
    return ", ".join(f"{count:,} {kind}" for kind, count in counts.items())


def _counted(counts: dict[str, int]) -> str:
    parts = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
    return f"{sum(counts.values()):,}" + (f": {parts}" if parts else "")


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
