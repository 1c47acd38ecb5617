{#-
    The check of a contract on DuckDB: the query has the declared columns, of the declared types as DuckDB writes them.
    dbt's own check, which asks the database for the declared types as well and calls macros for every column of both, was
    half of all macro calls of a close. It still has the last word, and the message, where the two texts differ. What a build
    goes on from was checked when it was built, by a project with the same statements and types: it is not asked again.
-#}
{% macro duckdb__get_assert_columns_equivalent(sql) %}
    {%- if pool_recon.this_build().is_incremental -%}
        {{ return('') }}
    {%- endif -%}
    {%- set declared = {} -%}
    {%- for column in model['columns'].values() -%}
        {%- do declared.update({column['name']: column['data_type'] | replace(' ', '') | upper}) -%}
    {%- endfor -%}
    {%- set found = {} -%}
    {%- for column in adapter.get_column_schema_from_query(sql ~ '\n') -%}
        {%- do found.update({column.name: column.dtype | replace(' ', '') if column.name not in found}) -%}
    {%- endfor -%}
    {%- if found != declared -%}
        {{ return(assert_columns_equivalent(sql)) }}
    {%- endif -%}
{% endmacro %}
