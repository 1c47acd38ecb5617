"""What Spark keeps from build to build, and what has it built anew, in a small project."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlglot

from pool_recon.spark.session import session
from tests.engines.small_project import EXPORTS, ROOT, lay_out, run_dbt
from tests.engines.spark_cluster import small_session
from tests.fault_matrix import CLOSE_DATE

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LANDED = "_file_id int, _row_number bigint, value string, other string, moment timestamp_ntz"
MODELS = {
    "int_kept": """
        {{ config(meta={'kept_by': {'row': 'row_order'}, 'month_of': 'moment'}) }}
        {%- set build = pool_recon.this_build() -%}
        -- depends on {{ ref('int_rows_at_hand') }}
        select
            _row_number as row_order,
            max_by(value, _file_id) as value,
            {{ build.number }} as written_by,
            max_by(moment, _file_id) as moment
        from raw.orders
        {%- if build.is_incremental %}
        where _row_number in (select row_order from {{ pool_recon.relation_at_hand('rows') }})
        {%- endif %}
        group by _row_number
        having max_by(value, _file_id) <> 'gone'
    """,
    "int_kept_whole": """
        {{ config(meta={'kept_by': {'row': 'row_order'}}) }}
        select row_order, value, written_by
        from {{ pool_recon.kept_rows_at_hand(ref('int_kept'), ['row_order, value, written_by']) }}
    """,
    "int_added": """
        {{ config(meta={'kept_by': 'file'}) }}
        {%- set build = pool_recon.this_build() -%}
        select _file_id, _row_number, {{ build.number }} as written_by from raw.orders
        {%- if build.is_incremental %} where _file_id > {{ build.last_file_id }}{% endif %}
    """,
    "int_later": """
        select row_order, value
        from {{ pool_recon.kept_rows_at_hand(ref('int_kept'), ['row_order', 'value']) }}
    """,
}
COLUMNS = {
    "int_kept": ["row_order", "value", "written_by", "moment"],
    "int_kept_whole": ["row_order", "value", "written_by"],
    "int_added": ["_file_id", "_row_number", "written_by"],
}
# Only compiled: what would be run where the cluster has the format.
MERGING = """
    {%- set kept = ref('int_kept') -%}
    {%- set statements = [] -%}
    {%- for kept_by in [
        {'row': 'row_order'}, {'kind': 'trade', 'id': 'transact_id'},
        {'kind_column': 'movement_type', 'id': 'movement_id'}, 'balance'
    ] if execute -%}
    {%- do statements.append(pool_recon.replacing_statements(kept, kept_by, 'a, b')) -%}
    {%- endfor -%}
    {{ tojson(statements) }}
"""


class Project:
    """A project with our macros on some rows of its own, each of which has a value and a month."""

    def __init__(self, spark: SparkSession, folder: Path, home: Path) -> None:
        self.spark = spark
        self._folder = folder
        self._home = home
        self.variables: dict[str, Any] = {}
        # The register is none of this.
        lay_out(folder, MODELS, has_register=False)
        (folder / "analyses").mkdir()
        (folder / "analyses" / "merging.sql").write_text(MERGING, encoding="utf-8")
        self.describe({})
        spark.sql("create schema raw")
        spark.sql("create table raw.files (file_id int, export_name string, row_count bigint)")
        spark.sql("create table raw.file_columns (file_id int, contract_column string)")
        for table in EXPORTS:
            spark.sql(f"create table raw.{table} ({LANDED})")

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.spark.sql(statement).collect()]

    def land(self, file_id: int, *rows: tuple[int, str, str]) -> None:
        """Land rows: their number, value and day."""
        self.spark.sql(f"insert into raw.files values ({file_id}, 'orders', {len(rows)})")
        values = ", ".join(
            f"({file_id}, {row}, '{value}', null, timestamp_ntz '{day} 00:00:00')"
            for row, value, day in rows
        )
        self.spark.sql(f"insert into raw.orders values {values}")

    def land_otherwise(self, columns: str) -> None:
        """Change landed rows by hand."""
        names = ", ".join(column.split()[0] for column in LANDED.split(", "))
        self.spark.sql(f"create table raw.changed as select {columns} from raw.orders")
        self.spark.sql(f"insert overwrite raw.orders select {names} from raw.changed")
        self.spark.sql("drop table raw.changed")

    def describe(self, types: dict[str, str]) -> None:
        models = [
            {
                "name": model,
                "columns": [
                    {"name": name} | ({"data_type": types[name]} if name in types else {})
                    for name in names
                ],
            }
            for model, names in COLUMNS.items()
        ]
        text = json.dumps({"models": models})
        (self._folder / "models" / "models.yml").write_text(text, encoding="utf-8")

    def dbt(self, command: str, *arguments: str, day: date, environment: dict[str, str]) -> Any:
        spark = {
            "POOL_RECON_SPARK_FOLDER": str(self._home),
            "POOL_RECON_SPARK_CATALOG": "in-memory",
        }
        return run_dbt(
            *(self._folder, "spark", command, *arguments),
            day=day,
            environment=spark | environment,
            variables=self.variables,
        )

    def build(
        self, arguments: Sequence[str] = (), day: date = CLOSE_DATE, keep_from: str = "0"
    ) -> str:
        """What the kept table holds after a build, as row, value and the build that wrote it."""
        environment = {"POOL_RECON_SPARK_KEEP_FROM": keep_from}
        self.dbt("build", *arguments, day=day, environment=environment)
        return self.held()

    def held(self, table: str = "int_kept") -> str:
        rows = self.rows(
            f"select row_order, value, written_by from intermediate.{table} order by row_order"
        )
        return ", ".join(" ".join(str(value) for value in row) for row in rows)

    def partitions(self) -> dict[str, set[str]]:
        """The files of each partition of the kept table."""
        found: dict[str, set[str]] = {}
        for file in self.spark.table("intermediate.int_kept").inputFiles():
            *_, partition, name = file.split("/")
            found.setdefault(partition.removeprefix("_kept_in="), set()).add(name)
        return found

    def write_by_hand(self) -> None:
        """Mark every kept row, so that one that a build writes is told from one that it keeps."""
        self.spark.sql(
            "insert overwrite table intermediate.int_kept"
            " select row_order, value, 9, moment, _kept_in from intermediate.int_kept"
        )


@pytest.fixture(scope="module")
def project(spark: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        small_session(patch, tmp_path_factory.mktemp("spark_conf"), "local[1]")
        environment = {
            "POOL_RECON_SPARK_FOLDER": str(home),
            "POOL_RECON_SPARK_CATALOG": "in-memory",
        }
        with session(environment) as running:
            yield Project(running, tmp_path_factory.mktemp("project"), home)


def test_only_the_partitions_that_lose_rows_are_written_anew(project: Project) -> None:
    project.land(1, (1, "one", "2026-03-01"), (2, "two", "2026-04-01"), (3, "three", "2026-05-01"))
    assert project.build() == "1 one 1, 2 two 1, 3 three 1"
    before = project.partitions()
    assert set(before) == {"2026-03", "2026-04", "2026-05"}
    # one is replaced where it was, one is new there, and one is in a month of its own
    project.land(2, (2, "zwei", "2026-04-02"), (4, "vier", "2026-04-03"), (5, "fünf", "2026-06-01"))
    project.land(3, (6, "sechs", "2026-05-09"))
    replaced = "1 one 1, 2 zwei 2, 3 three 1, 4 vier 2, 5 fünf 2, 6 sechs 2"
    assert project.build() == replaced
    assert project.held("int_kept_whole") == replaced
    after = project.partitions()
    assert after["2026-03"] == before["2026-03"]
    assert not after["2026-04"] & before["2026-04"]
    # what only gains rows gets another file
    assert after["2026-05"] > before["2026-05"]
    # what comes after it looked only at what was replaced, and nothing is left lying about
    assert len(project.rows("select * from intermediate.int_later")) == 4
    added = "select _file_id, written_by, count(*) from intermediate.int_added group by all"
    assert sorted(project.rows(added)) == [(1, 1, 3), (2, 2, 3), (3, 2, 1)]
    left = {row[1] for row in project.rows("show tables in intermediate")}
    assert left == {"build_state", "int_rows_at_hand", *MODELS}
    # a row goes to another month, and of one month nothing is left
    project.land(4, (1, "uno", "2026-04-01"), (5, "gone", "2026-06-01"))
    moved = "1 uno 3, 2 zwei 2, 3 three 1, 4 vier 2, 6 sechs 2"
    assert project.build() == moved
    assert project.held("int_kept_whole") == moved
    assert set(project.partitions()) == {"2026-04", "2026-05"}
    assert project.build() == moved


def test_rows_are_kept_until_something_decides_for_all_of_them(project: Project) -> None:
    anew = "1 uno 1, 2 zwei 1, 3 three 1, 4 vier 1, 6 sechs 1"
    project.variables = {"grace_period_seconds": 7200}
    assert project.build() == anew
    project.write_by_hand()
    kept = anew.replace(" 1,", " 9,").removesuffix("1") + "9"
    assert project.build() == kept
    for columns in (
        "_file_id, _row_number, if(value = 'one', 'eins', value) as value, other, moment",
        # a value that only goes to the column beside it
        "_file_id, _row_number, nullif(value, 'two') as value, if(value = 'two', value, other) as"
        " other, moment",
    ):
        project.land_otherwise(columns)
        assert " 9" not in project.build(), columns
        project.write_by_hand()
    project.spark.sql("alter table intermediate.int_kept drop partition (_kept_in = '2026-05')")
    assert project.build() == anew
    project.write_by_hand()
    project.spark.sql("drop table intermediate.int_kept_whole")
    assert project.build() == anew
    project.write_by_hand()
    project.spark.sql("truncate table intermediate.build_state")
    assert project.build() == anew
    project.write_by_hand()
    assert project.build(["--full-refresh"]) == anew
    project.write_by_hand()
    project.describe({"row_order": "bigint"})
    assert project.build() == anew
    project.write_by_hand()
    assert project.build(day=CLOSE_DATE.replace(day=1)) == anew
    project.write_by_hand()
    # a build of a part is all of that part, and the next one goes on from nothing
    assert project.build(["--select", "int_rows_at_hand"]) == kept
    assert project.build() == anew
    project.write_by_hand()
    # of few rows none are kept, neither by this build nor for the next one
    assert project.build(keep_from="1000") == anew
    assert project.partitions().keys() != {"2026-04", "2026-05"}
    assert project.build() == anew


def test_a_digest_of_rows_does_not_overflow(project: Project) -> None:
    """Hashes of 64 bits, of which two can be too much for their type."""
    (macro,) = [
        part
        for part in (ROOT / "macros" / "engine" / "row_checksum.sql").read_text().split("{% macro")
        if part.startswith(" spark__row_digest")
    ]
    digest = macro.splitlines()[1].strip().replace("{{ rows }}", "landed")
    project.spark.sql("set spark.sql.ansi.enabled = true")
    landed = "(select id, cast(null as string) as text from range(100000)) as landed"
    ((summed, highest),) = project.rows(f"select sum({digest}), max({digest}) from {landed}")
    assert highest > 2**62
    ((as_numbers,),) = project.rows(
        f"select sum(cast(abs({digest}) as decimal(38, 0))) > 9223372036854775807 from {landed}"
    )
    assert as_numbers
    assert summed is not None


@pytest.mark.parametrize("file_format", ["delta", "iceberg"])
def test_where_the_format_can_merge_it_does(project: Project, file_format: str) -> None:
    """The format is not here: its statements are parsed by Spark, and not run."""
    result = project.dbt(
        *("compile", "--select", "merging"),
        day=CLOSE_DATE,
        environment={"POOL_RECON_SPARK_FORMAT": file_format},
    )
    (node,) = result.results
    pairs = json.loads(node.node.compiled_code)
    parser = project.spark._jsparkSession.sessionState().sqlParser()  # type: ignore[attr-defined]
    for merging, inserting in pairs:
        assert merging.startswith("merge into ")
        assert merging.endswith(" when matched then delete")
        assert "MergeIntoTable" in parser.parsePlan(merging).toString()
        assert "InsertIntoStatement" in parser.parsePlan(inserting).toString()
        assert isinstance(sqlglot.parse_one(merging, dialect="databricks"), sqlglot.exp.Merge)
    assert "kept.transact_id = gone.id" in pairs[1][0]
    assert "kept.effective_at >= gone.restart_at" in pairs[3][0]
