{#- A seed in one statement. dbt-spark puts a text in quotes without looking for those that it has itself. -#}
{% macro spark__create_csv_table(model, agate_table) -%}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set filled -%}
        create table {{ this.render() }}
        {{ file_format_clause() }}
        {{ location_clause() }}
        as
        select
            {%- for name in agate_table.column_names %}
            cast({{ name }} as {{ pool_recon.spark_type(types.get(name, adapter.convert_type(agate_table, loop.index0))) }}) as {{ name }}{{ ',' if not loop.last }}
            {%- endfor %}
        from values
            {%- for row in agate_table.rows %}
            ({% for value in row %}{{ pool_recon.spark_literal(value) }}{{ ', ' if not loop.last }}{% endfor %}){{ ',' if not loop.last }}
            {%- endfor %}
            as rows ({{ agate_table.column_names | join(', ') }})
    {%- endset -%}
    {%- call statement('_') -%}
        {{ filled }}
    {%- endcall -%}
    {{ return(filled) }}
{%- endmacro %}

{#- The rows are in the table already. -#}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {{ return('') }}
{%- endmacro %}

{#- A value of a seed; in a text of Spark a backslash begins an escape. -#}
{% macro spark_literal(value) -%}
    {%- if value is none -%}
    null
    {%- else -%}
    '{{ value | string | replace('\\', '\\\\') | replace("'", "\\'") }}'
    {%- endif -%}
{%- endmacro %}
