"""Run by the Python of a Dagster environment: materialises a date of the recipe for real.

Arguments: the recipe, the close date. Prints what the run and its check said, as JSON.
"""

from __future__ import annotations

import importlib.util
import json
import sys

import dagster as dg

path, close_date = sys.argv[1:]
spec = importlib.util.spec_from_file_location("recipe", path)
assert spec is not None
assert spec.loader is not None
recipe = importlib.util.module_from_spec(spec)
sys.modules["recipe"] = recipe
spec.loader.exec_module(recipe)

dg.Definitions.validate_loadable(recipe.defs)
schedule = recipe.defs.get_repository_def().get_schedule_def("close_schedule")
result = dg.materialize([recipe.close_package], partition_key=close_date, raise_on_error=False)
checks = result.get_asset_check_evaluations()
print(
    json.dumps(
        {
            "cron": schedule.cron_schedule,
            "success": result.success,
            "materialized": len(result.get_asset_materialization_events()),
            "retried": any(e.event_type_value == "STEP_UP_FOR_RETRY" for e in result.all_events),
            "checks": {check.check_name: check.passed for check in checks},
        }
    )
)
