"""Dagster: the close package of every business date as an asset, with a check that blocks.

Settings are environment variables, as in examples/cron/close.sh. Where a close is blocked, its
package is there, the check `every_rule_holds` fails, and with it the run; it is not tried again.
A close that could not run is.
"""

import json
import os
import subprocess

import dagster as dg

ZONE = os.environ.get("POOL_RECON_TIME_ZONE", "UTC")
DAYS = dg.DailyPartitionsDefinition(start_date="2026-01-01", timezone=ZONE)
CHECK = "every_rule_holds"


def command(close_date: str) -> list[str]:
    """The close of a business date."""
    words = [
        "pool-recon",
        "close",
        "--exports",
        os.environ["POOL_RECON_EXPORTS"],
        "--close-date",
        close_date,
        "--out",
        os.environ["POOL_RECON_OUT"],
        "--time-zone",
        ZONE,
        "--notify-on",
        "failure",
        "--json",
    ]
    register = os.environ.get("POOL_RECON_REGISTER")
    return [*words, "--register", register] if register else words


@dg.asset(
    partitions_def=DAYS,
    check_specs=[dg.AssetCheckSpec(CHECK, asset="close_package", blocking=True)],
    retry_policy=dg.RetryPolicy(max_retries=3, delay=900),
    # The closes share a warehouse: one at a time. The name alone limits nothing; the limit is set
    # once in the deployment: dagster instance concurrency set pool_recon_warehouse 1
    pool="pool_recon_warehouse",
)
def close_package(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """The folder with the checklist, the exceptions and all else of one business date."""
    done = subprocess.run(
        command(context.partition_key), capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1):
        raise dg.Failure(description=done.stderr.strip())
    summary = json.loads(done.stdout)
    failing = [rule["rule"] for rule in summary["rules"] if rule["state"] != "holds"]
    return dg.MaterializeResult(
        metadata={
            "package": dg.MetadataValue.path(summary["package"]),
            "match_rate_percent": summary["movements"]["match_rate_percent"] or "",
            "blocking_findings": summary["findings"]["blocking"],
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=CHECK,
                passed=summary["outcome"] == "closed",
                metadata={"rules_that_do_not_hold": failing},
            )
        ],
    )


close_job = dg.define_asset_job("close", selection=[close_package])
# Half an hour after the end of every business date, in its time zone.
close_schedule = dg.build_schedule_from_partitioned_job(close_job, hour_of_day=0, minute_of_hour=30)
defs = dg.Definitions(assets=[close_package], jobs=[close_job], schedules=[close_schedule])
