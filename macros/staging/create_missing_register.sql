{#- The exception register as loaded; without one there are no approvals, but there is a table to read.
    Where another tool fills the tables, `landed_exception_register` stands in its place. -#}
{% macro create_missing_register() -%}
    {%- if not pool_recon.own_sources() and (not execute or not adapter.get_relation(target.database | default(none), var('raw_schema'), 'exception_register')) -%}
    {%- do adapter.create_schema(api.Relation.create(database=target.database | default(none), schema=var('raw_schema'))) if execute -%}
    create table if not exists {{ var('raw_schema') }}.exception_register (
        line_number integer,
        {% for column in pool_recon.register_columns() -%}
        {{ column }} {{ dbt.type_string() }}{{ ',' if not loop.last }}
        {% endfor %}
    )
    {%- endif -%}
{%- endmacro %}
