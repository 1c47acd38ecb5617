"""Airflow 3: closes the business date that ended last, every night.

Settings are environment variables of the worker, as in examples/cron/close.sh. A blocked close
fails at once, because trying again changes nothing; one that could not run is tried again.
"""

from __future__ import annotations

import json
import os
import subprocess
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

ZONE = ZoneInfo(os.environ.get("POOL_RECON_TIME_ZONE", "UTC"))


def command(close_date: date) -> list[str]:
    """The close of a business date."""
    words = [
        "pool-recon",
        "close",
        "--exports",
        os.environ["POOL_RECON_EXPORTS"],
        "--close-date",
        close_date.isoformat(),
        "--out",
        os.environ["POOL_RECON_OUT"],
        "--time-zone",
        ZONE.key,
        "--notify-on",
        "failure",
        "--json",
    ]
    register = os.environ.get("POOL_RECON_REGISTER")
    return [*words, "--register", register] if register else words


@dag(
    schedule="30 0 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=ZONE),
    # True closes every date since start_date, one after the other.
    catchup=False,
    max_active_runs=1,
    params={"close_date": Param(None, type=["null", "string"], format="date")},
    tags=["finance"],
)
def pool_recon_close() -> None:
    """Close a business date: of the run's parameter, else the day before the run."""

    @task(retries=3, retry_delay=timedelta(minutes=15), execution_timeout=timedelta(hours=2))
    def close() -> dict[str, object]:
        context = get_current_context()
        if wanted := context["params"]["close_date"]:
            close_date = date.fromisoformat(wanted)
        else:
            run_at = context["dag_run"].run_after.astimezone(ZONE)
            close_date = run_at.date() - timedelta(days=1)
        done = subprocess.run(command(close_date), stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode not in (0, 1):
            # Its one line on stderr is in the log of the task.
            raise AirflowException(f"the close of {close_date} could not run")
        summary = json.loads(done.stdout)
        if summary["outcome"] == "blocked":
            findings = summary["findings"]["blocking"]
            raise AirflowFailException(
                f"the close of {close_date} is blocked by {findings} findings: "
                f"see {summary['package']}"
            )
        return {
            "package": summary["package"],
            "match_rate_percent": summary["movements"]["match_rate_percent"],
        }

    close()


pool_recon_close()
