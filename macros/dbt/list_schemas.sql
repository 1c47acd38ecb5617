{#- dbt asks with the name of the database in quotes, which dbt-duckdb compares as part of the name: it finds no schema, and
    creates every one of them again on every run. -#}
{% macro duckdb__list_schemas(database) %}
    {{ return(run_query("select schema_name from system.information_schema.schemata where lower(catalog_name) = '" ~ database | replace('"', '') | lower ~ "'")) }}
{% endmacro %}
