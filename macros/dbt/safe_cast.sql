{#- dbt gives the empty fields of a seed to the inputs of a unit test as empty texts, which PostgreSQL takes for no value of
    another type. -#}
{% macro postgres__safe_cast(field, type) -%}
    {%- if field == "''" and type | lower not in ('text', 'varchar', 'character varying') -%}
        cast(null as {{ type }})
    {%- else -%}
        cast({{ field }} as {{ type }})
    {%- endif -%}
{%- endmacro %}
