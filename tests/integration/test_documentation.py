"""Everything that a user can see is described, and what is said twice is the same."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
import yaml

from pool_recon import masking, register
from tests.harness import Warehouse, compiled_project

ROOT = Path(__file__).resolve().parents[2]
DOC_CALL = re.compile(r"\{\{ doc\('(\w+)'\) \}\}")
DOC_BLOCK = re.compile(r"\{% docs (\w+) %\}\n(.*?)\n\{% enddocs %\}", re.DOTALL)
MACRO = re.compile(r"\{%-? macro (\w+)\((.*?)\)", re.DOTALL)
# what another engine has in place of a macro is described with that macro
ENGINE_MACRO = re.compile(r"^(default|duckdb|postgres|spark|snowflake|bigquery|trino)__")

SECONDS = ("quote_clock_seconds", "execution_clock_seconds", "settlement_clock_seconds")
SAME_CONTENT = "staging/same_content.sql"
DIFFERS_BETWEEN_DELIVERIES = {
    *("received_at", "processed_at", "source", "signature_result", "processing_attempts"),
    *("payload_ref", "request_id"),
}
KIND_OF_VALUE = {"id": "id", "text": "id", "balance_after": "stated_balance"}


@cache
def yaml_files() -> dict[Path, dict[str, Any]]:
    """What every YAML file of the project says."""
    paths = [
        path for folder in ("models", "seeds", "macros") for path in (ROOT / folder).rglob("*.yml")
    ]
    # The same as the safe loader, and many times as fast.
    return {
        path: yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader) or {}
        for path in sorted(paths)
    }


@cache
def described(section: str) -> dict[str, dict[str, Any]]:
    """The entries of a section of every YAML file, by name; no name may be given twice."""
    found: dict[str, dict[str, Any]] = {}
    for path, content in yaml_files().items():
        for entry in content.get(section, []):
            assert entry["name"] not in found, f"{path}: {entry['name']} is described twice"
            found[entry["name"]] = entry
    return found


@cache
def doc_blocks() -> dict[str, str]:
    text = "\n".join(p.read_text(encoding="utf-8") for p in sorted((ROOT / "models").rglob("*.md")))
    return {name: block.strip() for name, block in DOC_BLOCK.findall(text)}


def seed(name: str) -> list[dict[str, str]]:
    with (ROOT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, strict=True))


def undescribed(entry: dict[str, Any], columns: list[str], what: str) -> list[str]:
    """What lacks a description: the entry, one of these columns; or is described and not there."""
    texts = {column["name"]: column.get("description", "") for column in entry.get("columns", [])}
    missing = [] if entry.get("description", "").strip() else [what]
    missing += [f"{what}.{column}" for column in columns if not text_of(texts.get(column, ""))]
    return missing + [f"{what}.{name} does not exist" for name in texts if name not in columns]


def text_of(description: str) -> str:
    call = DOC_CALL.fullmatch(description.strip())
    return doc_blocks()[call[1]] if call else description.strip()


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    made = Warehouse(compiled_project(date(2026, 6, 30)))
    made.close(ROOT / "samples" / "clean")
    yield made
    made.close_connection()


def columns_of(warehouse: Warehouse, relation: str) -> list[str]:
    return [row[0] for row in warehouse.connection.execute(f"describe {relation}").fetchall()]


def test_every_model_and_every_column_is_described(warehouse: Warehouse) -> None:
    models = described("models")
    assert sorted(models) == sorted(path.stem for path in (ROOT / "models").rglob("*.sql"))
    missing = [
        each
        for model in warehouse.project.models.values()
        for each in undescribed(
            models[model.name], columns_of(warehouse, model.relation), model.name
        )
    ]
    assert missing == []


def test_every_model_has_its_file_and_says_its_grain_first() -> None:
    for path in (ROOT / "models").rglob("*.sql"):
        assert path.with_suffix(".yml").is_file(), path.name
    vague = [
        name
        for name, model in described("models").items()
        if not model["description"].startswith(("One row per ", "One row: "))
    ]
    assert vague == []


def test_what_others_may_query_has_an_enforced_contract() -> None:
    for folder in ("staging", "marts", "package"):
        for path in (ROOT / "models" / folder).glob("*.yml"):
            for model in yaml_files()[path]["models"]:
                config = model.get("config", {})
                assert config.get("contract", {}).get("enforced") is True, model["name"]
                assert all("data_type" in column for column in model["columns"]), model["name"]
                if folder != "staging":
                    assert config.get("access") == "public", model["name"]


def test_money_has_one_type_in_every_model(warehouse: Warehouse) -> None:
    """A mixture of scales loses digits without a word, so there is none to mix."""
    money = "DECIMAL(38,18)"
    others = {"entry_seq": "DECIMAL(20,0)"} | dict.fromkeys(SECONDS, "DECIMAL(31,12)")
    wrong = [
        f"{model.name}.{name} is {kind}"
        for model in warehouse.project.models.values()
        for name, kind, *_ in warehouse.connection.execute(f"describe {model.relation}").fetchall()
        if kind in {"DOUBLE", "FLOAT"}
        or (kind.startswith("DECIMAL") and kind != others.get(name, money))
    ]
    assert wrong == []


def test_every_amount_of_a_mart_stands_beside_itself_as_text() -> None:
    """BI tools turn decimals into floats. The widest table has its texts in a view of its own."""
    marts = {path.stem for path in (ROOT / "models" / "marts").glob("*.sql")}
    columns = {
        name: {column["name"]: column["data_type"] for column in model["columns"]}
        for name, model in described("models").items()
        if name in marts
    }
    assert columns["fct_reconciliation"].items() <= columns["bi_movements"].items()
    amounts = [
        (mart, name)
        for mart, types in columns.items()
        for name, kind in types.items()
        if kind.replace(" ", "") == "decimal(38,18)" and mart != "fct_reconciliation"
    ]
    assert len({mart for mart, _ in amounts}) >= 5
    missing = [
        (mart, name) for mart, name in amounts if columns[mart].get(f"{name}_text") != "varchar"
    ]
    assert missing == []


def test_dbt_knows_a_changed_rule_by_its_macros() -> None:
    models = compiled_project(date(2026, 6, 30)).models
    rules = {
        name
        for file in (ROOT / "macros" / "findings").glob("*.sql")
        for name, _ in MACRO.findall(file.read_text(encoding="utf-8"))
        if name.startswith(("violations_of_", "gaps_of_", "changed_since_"))
    }
    assert len(rules) >= 10
    assert rules <= models["close_violations"].macros
    assert {rule for rule in rules if rule.startswith("gaps_of_")} <= (
        models["int_checklist_gaps"].macros
    )


def test_every_exposure_says_who_uses_what() -> None:
    exposures = described("exposures")
    assert {exposure["type"] for exposure in exposures.values()} == {
        *("analysis", "application", "dashboard")
    }
    for name, exposure in exposures.items():
        assert exposure["description"].strip(), name
        assert exposure["owner"]["name"], name
        assert exposure["maturity"] in {"low", "medium", "high"}, name
        assert exposure["depends_on"], name
    read = {ref for exposure in exposures.values() for ref in exposure["depends_on"]}
    views = {f"ref('{path.stem}')" for path in (ROOT / "models" / "package").glob("*.sql")}
    assert views <= read


def test_what_the_semantic_layer_reads_is_public_and_described() -> None:
    models = described("semantic_models")
    for name, model in models.items():
        mart = model["model"].removeprefix("ref('").removesuffix("')")
        assert (ROOT / "models" / "marts" / f"{mart}.sql").is_file(), name
        for part in ("dimensions", "measures"):
            for entry in model[part]:
                assert entry.get("description", "").strip(), (name, entry["name"])
    for name, metric in described("metrics").items():
        assert metric["label"], name
        assert metric["description"].strip(), name


def test_every_source_table_and_column_is_described(warehouse: Warehouse) -> None:
    (raw,) = described("sources").values()
    tables = {table["name"]: table for table in raw["tables"]}
    landed = warehouse.connection.execute(
        "select table_name from duckdb_tables() where schema_name = 'raw'"
    ).fetchall()
    assert sorted(tables) == sorted(row[0] for row in landed)
    missing = [
        each
        for name, table in tables.items()
        for each in undescribed(table, columns_of(warehouse, f"raw.{name}"), name)
    ]
    assert missing == []


def test_every_seed_and_every_column_is_described() -> None:
    seeds = described("seeds")
    files = {path.stem: path for path in (ROOT / "seeds").glob("*.csv")}
    assert sorted(seeds) == sorted(files)
    missing = [
        each
        for name, path in files.items()
        for each in undescribed(
            seeds[name], path.read_text(encoding="utf-8").splitlines()[0].split(","), name
        )
    ]
    assert missing == []


def test_every_macro_and_every_argument_is_described() -> None:
    macros = described("macros")
    signatures: dict[str, list[str]] = {}
    for path in (ROOT / "macros").rglob("*.sql"):
        text = path.read_text(encoding="utf-8")
        for found in MACRO.finditer(text):
            name, arguments = found.groups()
            if not ENGINE_MACRO.match(name):
                assert text[: found.start()].endswith("#}\n"), f"{name} has no comment above it"
                names = [each.partition("=")[0].strip() for each in arguments.split(",")]
                signatures[name] = [each for each in names if each]
    assert macros.keys() ^ signatures.keys() == set()
    for name, arguments in signatures.items():
        entries = macros[name].get("arguments", [])
        assert macros[name].get("description", "").strip(), name
        assert [entry["name"] for entry in entries] == arguments, name
        assert all(entry.get("description", "").strip() for entry in entries), name


def test_every_doc_block_is_used() -> None:
    files = [path.read_text(encoding="utf-8") for path in (ROOT / "models").rglob("*.yml")]
    assert sorted(set(DOC_CALL.findall("\n".join(files)))) == sorted(doc_blocks())


class Calls:
    """Stands in for the project's macros in a model: keeps the arguments of every call."""

    def __init__(self) -> None:
        self.made: dict[str, list[dict[str, Any]]] = {}

    def __getattr__(self, macro: str) -> Any:
        def call(*arguments: Any, **named: Any) -> str:
            self.made.setdefault(macro, []).append({"arguments": arguments, **named})
            return ""

        return call


def calls_of(path: Path) -> dict[str, list[dict[str, Any]]]:
    calls = Calls()
    template = jinja2.Environment(autoescape=False).from_string(path.read_text(encoding="utf-8"))
    template.render(pool_recon=calls, ref=str, source=str, var=str, config=lambda **_: "")
    return calls.made


def returned(macro_file: str, macro: str, *arguments: str) -> list[str]:
    """The list that a macro returns to dbt."""
    values: list[list[str]] = []
    environment = jinja2.Environment(autoescape=False, extensions=["jinja2.ext.do"])
    environment.globals["return"] = lambda value: values.append(value) or ""
    environment.globals["pool_recon"] = SimpleNamespace(
        text_literal=repr,
        terms_of_quotes=lambda: returned(macro_file, "terms_of_quotes"),
        default_environment=lambda: "default_environment",
        default_partner=lambda: "default_partner",
    )
    text = (ROOT / "macros" / macro_file).read_text(encoding="utf-8")
    getattr(environment.from_string(text).module, macro)(*arguments)
    return values[0]


def test_the_lists_of_macros_are_those_of_the_seeds() -> None:
    exports = sorted(seed("ref_exports"), key=lambda row: int(row["export_position"]))
    assert returned("staging/export_names.sql", "export_names") == [
        row["export_name"] for row in exports
    ]
    assert returned("staging/export_names.sql", "required_export_names") == [
        row["export_name"] for row in exports if row["is_required"] == "true"
    ]
    rules = sorted(seed("ref_checklist_rules"), key=lambda row: int(row["rule_position"]))
    assert returned("findings/checklist_rules.sql", "checklist_rules") == [
        row["rule_name"] for row in rules
    ]
    assert returned("staging/register_columns.sql", "register_columns") == list(register.COLUMNS)


@pytest.mark.parametrize("export", [row["export_name"] for row in seed("ref_exports")])
def test_staging_reads_the_columns_of_the_reference_data(export: str) -> None:
    rows = [row for row in seed("ref_export_columns") if row["export_name"] == export]
    rows.sort(key=lambda row: int(row["column_position"]))
    (call,) = calls_of(ROOT / "models" / "staging" / f"stg_{export}.sql")["stage_export"]
    assert call["export_name"] == export
    assert [(name, kind.removeprefix("positive_")) for name, kind in call["columns"]] == [
        (row["column_name"], kind_of(row)) for row in rows
    ]
    assert call["required"] == [
        row["column_name"] for row in rows if row["is_value_required"] == "true"
    ]


@pytest.mark.parametrize("export", [row["export_name"] for row in seed("ref_exports")])
def test_own_tables_are_held_to_the_reference_data(export: str) -> None:
    rows = [row for row in seed("ref_export_columns") if row["export_name"] == export]
    (call,) = calls_of(ROOT / "models" / "landing" / f"landed_{export}.sql")["land_export"]
    assert call["name"] == export
    assert call["required"] == [
        row["column_name"] for row in rows if row["is_column_required"] == "true"
    ]
    assert call["exact"] == [
        row["column_name"]
        for row in rows
        if row["value_kind"] in {"amount", "balance_after", "whole_number"}
    ]


@pytest.mark.parametrize("export", [row["export_name"] for row in seed("ref_exports")])
def test_the_same_content_is_the_same_in_every_column(export: str) -> None:
    columns = {r["column_name"] for r in seed("ref_export_columns") if r["export_name"] == export}
    key = returned(SAME_CONTENT, "key_of", export)
    content = returned(SAME_CONTENT, "content_of", export)
    of_deliveries = DIFFERS_BETWEEN_DELIVERIES if export == "events" else set()
    assert sorted(
        [re.sub(r"coalesce\((\w+), .*\)", r"\1", part) for part in key] + content
    ) == sorted(columns - of_deliveries)
    if export == "quotes":
        assert sorted(returned(SAME_CONTENT, "terms_of_quotes")) == sorted(
            columns - {"quote_id", "accepted_at", "status"}
        )


def test_secrets_look_the_same_to_sql_and_the_loader() -> None:
    text = (ROOT / "macros" / "landing" / "secrets.sql").read_text(encoding="utf-8")
    assert f"\n    {masking.PATTERN}\n" in text


def kind_of(column: dict[str, str]) -> str:
    if column["value_kind"] == "enumeration":
        return column["vocabulary"]
    return KIND_OF_VALUE.get(column["value_kind"], column["value_kind"])


def test_every_code_is_declared_and_every_declared_code_is_known() -> None:
    declared: set[str] = set()
    defers = False
    for path in (ROOT / "models" / "findings").glob("findings_of_*.sql"):
        (call,) = calls_of(path)["raise_findings"]
        codes = [finding["code"] for finding in call["findings"]]
        assert len(codes) == len(set(codes)), path.name
        declared.update(codes)
        defers |= any("deferred_when" in finding for finding in call["findings"])
    assert defers, "no finding can become a cutoff_timing_difference"
    assert sorted(declared | {"cutoff_timing_difference"}) == sorted(
        row["code"] for row in seed("ref_findings")
    )


def test_every_category_of_findings_is_described() -> None:
    dimensions = described("semantic_models")["exceptions"]["dimensions"]
    (dimension,) = (each for each in dimensions if each["name"] == "category")
    for text in (doc_blocks()["category"], dimension["description"]):
        named = re.search(r"\b(movements.*?)[,.](?: as|$)", text)
        assert named
        assert set(re.split(r", | or ", named[1])) == {r["category"] for r in seed("ref_findings")}


def test_every_model_of_findings_is_read() -> None:
    files = {path.stem for path in (ROOT / "models" / "findings").glob("findings_of_*.sql")}
    raised = (ROOT / "models" / "findings" / "findings_raised.sql").read_text(encoding="utf-8")
    (subjects,) = re.findall(r"for subjects in \[(.*?)\]", raised)
    assert files == {f"findings_of_{name}" for name in re.findall(r"'(\w+)'", subjects)}


def test_the_seeds_agree_with_one_another() -> None:
    rules = {row["rule_name"] for row in seed("ref_checklist_rules")}
    for row in seed("ref_findings"):
        assert row["severity"] in {"blocking", "warning"}, row["code"]
        assert row["rule_name"] in (rules if row["severity"] == "blocking" else rules | {""})
        assert int(row["days_to_review"]) > 0, row["code"]
        assert all(row[column].strip() for column in ("owner", "meaning", "first_action"))
    classes = {row["entry_class"]: row for row in seed("ref_entry_classes")}
    assert {row["entry_class"] for row in seed("ref_entry_types")} <= set(classes)
    for name, row in classes.items():
        assert row["balance_sign"] in {"+", "-", "either"}, name
        assert bool(row["balance_column"]) == (row["touches_balance"] == "true"), name
    exports = {row["export_name"] for row in seed("ref_exports")}
    columns = {(row["export_name"], row["column_name"]) for row in seed("ref_export_columns")}
    vocabularies = {row["vocabulary"] for row in seed("ref_vocabularies")}
    assert {export for export, _ in columns} == exports
    assert {(r["export_name"], r["column_name"]) for r in seed("ref_column_aliases")} <= columns
    stated = {row["vocabulary"] for row in seed("ref_export_columns")} - {""}
    assert stated == vocabularies
    statuses = {row["status"] for row in seed("ref_trade_states")}
    words = {r["word"] for r in seed("ref_vocabularies") if r["vocabulary"] == "trade_status"}
    assert words == statuses
    steps = seed("ref_trade_transitions")
    assert {row[end] for row in steps for end in ("from_status", "to_status")} <= statuses
