{#- Snowflake. Well formed, and never run. See docs/porting.md. -#}

{#- Its patterns know no groups that do not capture, and match the whole text. -#}
{% macro snowflake__matches_whole(column, pattern) -%}
    regexp_like({{ column }}, $${{ pattern | replace('(?:', '(') }}$$)
{%- endmacro %}

{% macro snowflake__matches_within(column, pattern) -%}
    (regexp_instr({{ column }}, $${{ pattern | replace('(?:', '(') }}$$) > 0)
{%- endmacro %}

{% macro snowflake__matches_replaced(column, pattern, mark) -%}
    regexp_replace({{ column }}, $${{ pattern }}$$, $$\1{{ mark }}$$)
{%- endmacro %}

{#- A product of decimals keeps at most 12 decimals or those of its factors: whole numbers only. -#}
{% macro snowflake__product_misses(source, rate, target, tolerance) -%}
    {{ pool_recon.product_misses_by_limbs(source, rate, target, tolerance) }}
{%- endmacro %}

{% macro snowflake__lowest_of(values) -%}
    least_ignore_nulls({{ values | join(', ') }})
{%- endmacro %}

{% macro snowflake__highest_of(values) -%}
    greatest_ignore_nulls({{ values | join(', ') }})
{%- endmacro %}

{% macro snowflake__joined_texts(separator, texts) -%}
    array_to_string(array_construct_compact({{ texts | join(', ') }}), '{{ separator }}')
{%- endmacro %}

{% macro snowflake__row_as_text(columns) -%}
    '{' || array_to_string(array_construct_compact({% for name, expression in columns %}{{ ', ' if not loop.first }}'"{{ name }}":' || to_json(to_variant({{ expression }})){% endfor %}), ',') || '}'
{%- endmacro %}

{% macro snowflake__seconds_between(start, finish) -%}
    cast(datediff(microsecond, {{ start }}, {{ finish }}) as decimal(24, 6)) * cast(0.000001 as decimal(7, 6))
{%- endmacro %}

{% macro snowflake__text_list(column) -%}
    nullif(listagg(distinct {{ column }}, ';') within group (order by {{ column }}), '')
{%- endmacro %}

{% macro snowflake__id_list(column) -%}
    nullif(listagg({{ column }}, ';') within group (order by {{ column }}), '')
{%- endmacro %}

{% macro snowflake__timestamp_text(moment) -%}
    case
        when extract(nanosecond from {{ moment }}) = 0 then to_char({{ moment }}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        else to_char({{ moment }}, 'YYYY-MM-DD"T"HH24:MI:SS.FF6"Z"')
    end
{%- endmacro %}

{% macro snowflake__utc_timestamp(column) -%}
    {%- set rest = 'substr(' ~ column ~ ', 17)' -%}
    {%- set offset = "replace(regexp_substr(" ~ rest ~ ", '[+-].*'), ':', '')" -%}
    {%- set minutes = "coalesce(cast(left(" ~ offset ~ ", 1) || '1' as integer) * (cast(substr(" ~ offset ~ ", 2, 2) as integer) * 60 + coalesce(cast(nullif(substr(" ~ offset ~ ", 4), '') as integer), 0)), 0)" -%}
    {%- set moment = "dateadd(minute, -" ~ minutes ~ ", try_to_timestamp_ntz(left(" ~ column ~ ", 10) || ' ' || substr(" ~ column ~ ", 12, 5) || coalesce(regexp_substr(" ~ rest ~ ", '^:[0-9]{2}([.][0-9]{1,6})?'), ':00')))" -%}
    case when {{ moment }} between cast('0001-01-01 00:00:00' as timestamp) and cast('9999-12-31 23:59:59.999999' as timestamp) then {{ moment }} end
{%- endmacro %}

{% macro snowflake__value_at_latest(value, moment, id, condition) -%}
    cast(get(array_agg(case when {{ condition }} and {{ moment }} is not null then {{ value }} end) within group (order by {{ moment }} desc, {{ id }} desc), 0) as varchar)
{%- endmacro %}

{% macro snowflake__value_at_earliest(value, moment, id, condition) -%}
    cast(get(array_agg(case when {{ condition }} and {{ moment }} is not null then {{ value }} end) within group (order by {{ moment }}, {{ id }}), 0) as varchar)
{%- endmacro %}

{% macro snowflake__words_of(name) -%}
    regexp_replace(lower(regexp_replace(regexp_replace(regexp_replace({{ name }}, '([0-9]+)', $$ \1 $$), '([a-z])([A-Z])', $$\1 \2$$), '([A-Z])([A-Z][a-z])', $$\1 \2$$)), '[^a-z0-9]+', ' ')
{%- endmacro %}
