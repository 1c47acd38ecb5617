"""The command line: `pool-recon`.

Exit codes: 0 done, and every rule of the close holds; 1 the close is blocked, everything is
written; 2 it could not run, one line on stderr says why, and nothing was changed; 143 SIGTERM ended
it, and nothing was changed.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pool_recon import __version__
from pool_recon.commands.completion import completion
from pool_recon.commands.doctor import doctor
from pool_recon.commands.groups import TeachingGroup
from pool_recon.commands.notifying import NotifyingCommand, notification_options, notify_after
from pool_recon.commands.shared import (
    DATE,
    DEFAULT_OUT,
    FILE,
    FOLDER,
    NEW_FILE,
    NEW_FOLDER,
    QUIET,
    SUMMARY_AS_JSON,
    TARGET,
    WAREHOUSE_NAME,
    calendar_date,
    say_json,
    told,
)
from pool_recon.console import (
    colours,
    complain,
    printable,
    say_parts,
    take_streams,
    told_anyway,
    width,
)
from pool_recon.console import plural as _plural
from pool_recon.console import progress as _progress
from pool_recon.console import say as _say
from pool_recon.interruption import heard, listening, unheeded_at_exit, until_in_hand

if TYPE_CHECKING:
    from pool_recon.trace import Missing, Packet

EXIT_DONE = 0
EXIT_BLOCKED = 1
EXIT_NOT_FOUND = 1
EXIT_NOT_PROVEN = 1
EXIT_DIFFERENT = 1
EXIT_COULD_NOT_RUN = 2
EXIT_TERMINATED = 128 + signal.SIGTERM

# The shell asks for completions by it, and is answered by leaving.
COMPLETION_VARIABLE = "_POOL_RECON_COMPLETE"

DEFAULT_REGISTER = Path("exception_register.csv")


@click.group(
    cls=TeachingGroup,
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
    Every day, with the approvals that finance keeps:
      pool-recon close --exports DIR --close-date YYYY-MM-DD --register exception_register.csv
    When it is blocked, with the ids of exceptions.csv:
      pool-recon trace ID
      pool-recon explain movement ID
      pool-recon approve EXCEPTION_ID --approved-by NAME --reason TEXT
    """
    ctx.obj = {"debug": debug}
    ctx.color = colours()
    if ctx.invoked_subcommand is None:
        _say([ctx.get_help()])


@cli.command(cls=NotifyingCommand)
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
    help="DuckDB file with everything landed so far; of another target a copy of what it built.  "
    f"[default: OUT/{WAREHOUSE_NAME}]",
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
@click.option(
    "--full-refresh",
    "is_full_refresh",
    is_flag=True,
    help="Look at every row again, also at those that nothing can have changed.",
)
@TARGET
@notification_options
@QUIET
@SUMMARY_AS_JSON
@click.pass_context
def close(
    ctx: click.Context,
    /,
    exports: Path,
    close_date: date,
    out: Path,
    warehouse: Path | None,
    register: Path | None,
    time_zone: str | None,
    workbook_rows: int | None,
    is_full_refresh: bool,
    target: str,
    is_quiet: bool,
    is_json: bool,
    **_notification: object,
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
      pool-recon close --exports exports --close-date 2026-06-30 --quiet \\
          --notify https://hooks.example.com/finance --notify-on failure
    """
    from pool_recon.close import CloseRequest
    from pool_recon.summary import close_summary, close_text

    if target == "postgres":
        from pool_recon.postgres import close as run
    elif target == "spark":
        from pool_recon.spark import close as run
    else:
        from pool_recon.close import close as run

    request = CloseRequest(
        exports=exports,
        close_date=close_date,
        out=out,
        warehouse=warehouse or out / WAREHOUSE_NAME,
        register=register,
        time_zone=time_zone,
        is_debug=ctx.obj["debug"],
        workbook_rows=workbook_rows,
        is_full_refresh=is_full_refresh,
    )
    result = None
    try:
        with until_in_hand() as waiting, _progress(is_quiet=is_quiet) as progress:
            result = run(request, progress)
        summary = close_summary(request, result)
        with told_anyway(f"the close is published in {result.package}"):
            if is_json:
                say_json(summary)
            elif not is_quiet:
                _say(close_text(request, result, width()))
        waiting.obey()
        notify_after(ctx.params, summary)
    except KeyboardInterrupt:
        if result is None:
            raise
        undone = ", but who is to be notified may not have been" if ctx.params.get("hooks") else ""
        line = f"interrupted; the close is published in {result.package}{undone}"
        complain(f"pool-recon: {printable(line)}")
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
@TARGET
@QUIET
@SUMMARY_AS_JSON
def load(exports: Path, warehouse: Path, target: str, is_quiet: bool, is_json: bool) -> int:
    """Land exports in the warehouse and build nothing.

    All files or none. Afterwards dbt can run on the warehouse by itself.

    \b
    Example:
      pool-recon load --exports exports --warehouse out/pool_recon.duckdb
      dbt build --vars 'close_date: 2026-06-30'
    """
    from pool_recon.summary import landed_text, load_notes, load_summary

    # What has landed when it is to stop is told as what it is.
    with until_in_hand(), _progress(is_quiet=is_quiet) as progress:
        if target == "postgres":
            from pool_recon.postgres import load as load_into_postgres

            filled, loaded = load_into_postgres(exports, progress)
        elif target == "spark":
            from pool_recon.spark import load as load_into_spark

            filled, loaded = load_into_spark(exports, warehouse, progress)
        else:
            from pool_recon.close import load as run

            filled, loaded = str(warehouse), run(exports, warehouse, progress)
    with told_anyway(f"the exports are loaded into {filled}"):
        if is_json:
            say_json(load_summary(exports, filled, loaded))
        elif not is_quiet:
            _say([f"Loaded into {filled}: {landed_text(loaded)}", *load_notes(loaded)])
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
    help="When the finding is to be looked at next; not before the close date.  "
    "[default: as before]",
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
    again = shlex.join(["--register", str(register)])
    lines.append(f"Have the change reviewed, then close again with {again}")
    with told_anyway(f"the approval is written to {register}"):
        _say([printable(line) for line in lines])
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
@QUIET
@SUMMARY_AS_JSON
def validate(warehouse: Path, package: Path | None, is_quiet: bool, is_json: bool) -> int:
    """Judge a close again with Great Expectations, and change nothing.

    States the rules of the checklist and what every mart promises, and with --package what the
    CSV files promise, on its own beside the tests of dbt. Judges the close date that the
    warehouse was last built for.

    \b
    Examples:
      pool-recon validate --warehouse out/pool_recon.duckdb
      pool-recon validate --warehouse out/pool_recon.duckdb --package out/2026-06-30
    """
    from pool_recon.expectations import validate as run
    from pool_recon.expectations.summary import reading_summary, reading_text

    with _progress(is_quiet=is_quiet) as progress:
        progress("judging the close")
        reading = run(warehouse, package)
    if is_json:
        say_json(reading_summary(reading))
    elif not is_quiet:
        _say(reading_text(reading))
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
    from pool_recon.masking import mask
    from pool_recon.trace import trace as run
    from pool_recon.trace import trace_text

    return _answer(run(warehouse, mask(wanted), partner), trace_text, is_json)


@cli.group()
def explain() -> None:
    """Say why a balance moved, or why a movement is in its state.

    \b
    Examples:
      pool-recon explain movement txn_test_456
      pool-recon explain balance --partner acme --asset EUR --from 2026-06-30 --to 2026-07-01
    """


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
    at a moment is the sum of everything before it; after the cut-off of the close none is known.

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
    from pool_recon.masking import mask
    from pool_recon.trace import explain_movement as run
    from pool_recon.trace import movement_text

    return _answer(run(warehouse, mask(wanted), partner), movement_text, is_json)


@cli.command()
@click.argument("package", type=FOLDER)
@click.option(
    "--exports",
    type=FOLDER,
    multiple=True,
    help="Folder with the raw exports, to close again and compare; may be given several times.",
)
@click.option("--register", type=FILE, help="The exception register that the close was given.")
@click.option(
    "--manifest-sha256",
    metavar="HEX",
    help="What the manifest stated of itself when the close was signed off.",
)
@AS_JSON
def verify(
    package: Path,
    exports: tuple[Path, ...],
    register: Path | None,
    manifest_sha256: str | None,
    is_json: bool,
) -> int:
    """Prove a close package: that no byte of it was changed, and that it adds up.

    PACKAGE is a folder such as out/2026-06-30, wherever it lies by now. Every file is held against
    manifest.json and manifest.json against itself, the control totals are added up again, and the
    files are held against one another. With --exports the close is run again from them, in a
    warehouse of its own and with the history that the package carries, and has to give the same
    bytes. Nothing is changed.

    Whoever can rewrite every file can rewrite the manifest as well: keep the SHA-256 that this
    prints where you sign off, and give it with --manifest-sha256.

    Exit codes: 0 proven, as far as it was checked; 1 not proven, every file or total that differs
    is named; 2 there is no package, or the checks cannot be run.

    \b
    Examples:
      pool-recon verify out/2026-06-30
      pool-recon verify archive/2026-06-30 --exports exports --register exception_register.csv
    """
    from pool_recon.audit import verify as run
    from pool_recon.audit.text import verification_text

    with _progress() as progress:
        result = run(package, exports, register, manifest_sha256, progress)
    _say([_as_json(result.as_json())] if is_json else verification_text(result))
    return EXIT_DONE if result.is_proven else EXIT_NOT_PROVEN


@cli.command()
@click.argument("package_a", metavar="A", type=FOLDER)
@click.argument("package_b", metavar="B", type=FOLDER)
@AS_JSON
def diff(package_a: Path, package_b: Path, is_json: bool) -> int:
    """Show what changed between two close packages, and why.

    A and B are folders such as out/2026-06-30: two closes, or two runs of one. Shows rules that
    flipped, movements and findings that are new, gone or changed, balances and money at risk with
    their exact differences, and what stands behind it: files that landed, the register, settings,
    rules, versions, or only the date. Prints the most important rows; --json has them all.

    Exit codes: 0 every file is the same, byte for byte; 1 they differ; 2 they cannot be compared.

    \b
    Examples:
      pool-recon diff out/2026-06-29 out/2026-06-30
      pool-recon diff archive/2026-06-30 out/2026-06-30 --json > changes.json
    """
    from pool_recon.audit import compare
    from pool_recon.audit.text import difference_json, difference_text

    with _progress() as progress, compare(package_a, package_b, progress) as difference:
        if is_json:
            say_parts(difference_json(difference))
        else:
            _say(difference_text(difference))
        return EXIT_DONE if difference.is_empty else EXIT_DIFFERENT


@cli.command()
@BUILT_WAREHOUSE
@click.option(
    "--package",
    type=FOLDER,
    help="Close package whose verdict is shown.  [default: the one beside the warehouse]",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Port on this machine; 0 takes any that is free.",
)
@click.option("--open", "is_opened", is_flag=True, help="Open it in the browser.")
def dashboard(warehouse: Path, package: Path | None, port: int, is_opened: bool) -> int:
    """Show a close in the browser: verdict, exceptions, match rate, balances, search.

    The figures are those of the close report. The warehouse is only read, for as long as a page
    takes, so a close can run beside it; the page after that shows the new close. Answers to this
    machine alone and calls nobody. Needs the extra: pip install 'pool-recon[dashboard]'.

    \b
    Example:
      pool-recon dashboard --warehouse out/pool_recon.duckdb --open
    """
    from pool_recon.dashboard import dashboard as run

    def announce(address: str) -> None:
        _say([f"Dashboard of {warehouse}: {address}", "Ctrl-C ends it."])
        if is_opened:
            click.launch(address)

    run(warehouse, package, port, announce)
    return EXIT_DONE


@cli.command()
@click.argument("metric", nargs=-1)
@BUILT_WAREHOUSE
@click.option(
    "--by", "group_by", multiple=True, metavar="GROUP", help="What to group by; may be repeated."
)
@click.option("--sql", "is_sql", is_flag=True, help="Print the SQL instead of the answer.")
@AS_JSON
def metrics(
    metric: tuple[str, ...],
    warehouse: Path,
    group_by: tuple[str, ...],
    is_sql: bool,
    is_json: bool,
) -> int:
    """Ask the semantic layer: match rate, open exceptions, money at risk, balance and more.

    Without a METRIC it lists them, with what each can be grouped by. Amounts are exact, and those
    of different assets are not added up. Needs the extra: pip install 'pool-recon[metrics]'.

    \b
    Examples:
      pool-recon metrics match_rate --by movement__pool_id
      pool-recon metrics money_at_risk open_exceptions --by exception__asset
      pool-recon metrics balance --by entry__asset --by entry__environment
    """
    from pool_recon.metrics import answer_text, list_metrics, metrics_json, metrics_text, query

    with _progress() as progress:
        progress("reading the semantic layer")
        answer = query(warehouse, metric, group_by) if metric else None
        known = [] if metric else list_metrics(warehouse)
    if answer is None:
        as_json, lines = metrics_json(known), metrics_text(known)
    else:
        as_json, lines = answer.as_json(), [answer.sql] if is_sql else answer_text(answer)
    _say([_as_json(as_json)] if is_json else lines)
    return EXIT_DONE


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
    command = ["pool-recon", "close", "--exports", str(out), "--close-date", str(last)]
    lines = [
        f"Simulated {_plural(orders, 'order')} from {start} to {last} in {out}. To close them:",
        f"  {shlex.join(command)}",
    ]
    with told_anyway(f"the exports are written in {out}"):
        _say([printable(line) for line in lines])
    return EXIT_DONE


cli.add_command(doctor)
cli.add_command(completion)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code, with one line on stderr for an error."""
    take_streams()
    code = _run(sys.argv[1:] if arguments is None else list(arguments))
    unheeded_at_exit()
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    try:
        with listening():
            return int(cli.main(arguments, prog_name="pool-recon", standalone_mode=False) or 0)
    except (click.Abort, KeyboardInterrupt):
        return _interrupted()
    except SystemExit as error:
        if COMPLETION_VARIABLE in os.environ:
            raise
        # A library that ends the program must not make a close look done that is not.
        return _could_not_run(f"a library ended the program early (code {error.code})")
    except click.exceptions.NoArgsIsHelpError as error:
        complain(error.format_message())
        return EXIT_COULD_NOT_RUN
    except Exception as error:
        if heard() is not None:
            return _interrupted()
        if "--debug" in arguments and not isinstance(error, click.ClickException):
            traceback.print_exc()
        return _could_not_run(told(error))


def _interrupted() -> int:
    code = _could_not_run("interrupted; nothing was changed")
    return EXIT_TERMINATED if heard() == signal.SIGTERM else code


def _could_not_run(message: str) -> int:
    complain(f"pool-recon: {message}")
    return EXIT_COULD_NOT_RUN


def _answer(found: Packet | Missing, as_text: Callable[[Packet], list[str]], is_json: bool) -> int:
    """Print what was found, or say on stderr that nothing was; return the exit code."""
    from pool_recon.trace import Missing, printable

    if isinstance(found, Missing):
        complain(f"pool-recon: {printable(found.message)}")
        for name in found.nearest:
            complain(f"  {found.label}: {printable(name)}")
        return EXIT_NOT_FOUND
    _say([_as_json(found)] if is_json else as_text(found))
    return EXIT_DONE


def _as_json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2)
