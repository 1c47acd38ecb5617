"""The Spark session that dbt builds in, with the settings that profiles.yml gives it."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pool_recon.errors import CloseError
from pool_recon.reference import project_dir

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TARGET: Final = "spark"
_LOG: Final = "spark.log"


@contextlib.contextmanager
def session(folder: Path, settings: Mapping[str, str]) -> Iterator[SparkSession]:
    """Start Spark with the settings of profiles.yml, over which `settings` have their way.

    dbt finds the session in this process and builds in it. `folder` gets what Spark has to say.
    Raises CloseError where pyspark or Java is missing, or the cluster cannot be reached.
    """
    conf, launch_gateway, context_of, session_of = _pyspark()
    for name, value in {**profile_settings(), **settings}.items():
        conf.set(name, value)
    for name in ("SQLQueryContextLogger", "py4j"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    log = folder / _LOG
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", module="pyspark")
        said = stack.enter_context(log.open("wb"))
        try:
            gateway = launch_gateway(conf, {"stdout": said, "stderr": said})
            stack.callback(gateway.shutdown)
            context = context_of(conf=conf, gateway=gateway)
            stack.callback(context.stop)
            yield session_of.builder.getOrCreate()
        finally:
            pass


def profile_settings() -> dict[str, str]:
    """The settings of a session as dbt reads them from the output `spark` of profiles.yml."""
    import yaml
    from jinja2 import Environment

    text = (project_dir() / "profiles.yml").read_text(encoding="utf-8")
    stated = yaml.safe_load(text)["pool_recon"]["outputs"][TARGET]["server_side_parameters"]
    rendered = Environment(autoescape=False)
    rendered.globals["env_var"] = os.environ.get
    return {name: rendered.from_string(value).render() for name, value in stated.items()}


def _pyspark() -> tuple[Any, Any, Any, Any]:
    try:
        from pyspark import SparkConf, SparkContext
        from pyspark.java_gateway import launch_gateway
        from pyspark.sql import SparkSession
    except ImportError:
        raise CloseError("the target spark needs pyspark: pip install 'pool-recon[spark]'") from None
    return SparkConf(loadDefaults=False), launch_gateway, SparkContext, SparkSession
