{#- Spark, and Databricks, whose adapter inherits from it. Well formed, and never run. See
    docs/porting.md. -#}

{#- A product of decimals of 38 digits loses decimals without a word: whole numbers only. -#}
{% macro spark__product_misses(source, rate, target, tolerance) -%}
    {{ pool_recon.product_misses_by_limbs(source, rate, target, tolerance) }}
{%- endmacro %}

{#- `trunc` is about dates. -#}
{% macro spark__whole_part(number) -%}
    case when {{ number }} < 0 then ceil({{ number }}) else floor({{ number }}) end
{%- endmacro %}

{% macro spark__row_as_text(columns) -%}
    '{' || concat_ws(',' {%- for name, expression in columns %}, case when {{ expression }} is not null then '"{{ name }}":' || regexp_extract(to_json(array({{ expression }})), '^.(.*).$', 1) end{% endfor %}) || '}'
{%- endmacro %}

{% macro spark__seconds_between(start, finish) -%}
    cast(cast(timestampdiff(microsecond, {{ start }}, {{ finish }}) as decimal(24, 6)) * cast(0.000001 as decimal(7, 6)) as decimal(31, 12))
{%- endmacro %}

{% macro spark__timestamp_text(moment) -%}
    case
        when extract(second from {{ moment }}) = floor(extract(second from {{ moment }})) then date_format({{ moment }}, 'yyyy-MM-dd\'T\'HH:mm:ss\'Z\'')
        else date_format({{ moment }}, 'yyyy-MM-dd\'T\'HH:mm:ss.SSSSSS\'Z\'')
    end
{%- endmacro %}

{% macro spark__utc_timestamp(column) -%}
    {%- set rest = 'substr(' ~ column ~ ', 17)' -%}
    {%- set offset = "replace(regexp_substr(" ~ rest ~ ", '[+-].*'), ':', '')" -%}
    {%- set minutes = "coalesce(cast(left(" ~ offset ~ ", 1) || '1' as int) * (cast(substr(" ~ offset ~ ", 2, 2) as int) * 60 + coalesce(cast(nullif(substr(" ~ offset ~ ", 4), '') as int), 0)), 0)" -%}
    {%- set moment = "timestampadd(minute, -" ~ minutes ~ ", try_cast(left(" ~ column ~ ", 10) || ' ' || substr(" ~ column ~ ", 12, 5) || coalesce(regexp_substr(" ~ rest ~ ", '^:[0-9]{2}([.][0-9]{1,6})?'), ':00') as timestamp))" -%}
    case when {{ moment }} between cast('0001-01-01 00:00:00' as timestamp) and cast('9999-12-31 23:59:59.999999' as timestamp) then {{ moment }} end
{%- endmacro %}

{% macro spark__value_at_latest(value, moment, id, condition) -%}
    max_by({{ value }}, struct({{ moment }}, {{ id }})) filter (where {{ condition }} and {{ moment }} is not null and {{ value }} is not null)
{%- endmacro %}

{% macro spark__value_at_earliest(value, moment, id, condition) -%}
    min_by({{ value }}, struct({{ moment }}, {{ id }})) filter (where {{ condition }} and {{ moment }} is not null and {{ value }} is not null)
{%- endmacro %}

{% macro spark__words_of(name) -%}
    regexp_replace(lower(regexp_replace(regexp_replace({{ name }}, '([a-z0-9])([A-Z])', '$1 $2'), '([A-Z])([A-Z][a-z])', '$1 $2')), '[^a-z0-9]+', ' ')
{%- endmacro %}

{% macro spark__trimmed(column) -%}
    nullif(trim(both {{ pool_recon.ascii_white_space() }} from {{ column }}), '')
{%- endmacro %}

{% macro spark__amount_text(amount, minor_unit) -%}
    {%- set text = 'cast(' ~ amount ~ ' as string)' -%}
    {%- set decimals = "regexp_replace(" ~ pool_recon.part_of(text, '.', 2) ~ ", '0+$', '')" -%}
    {{ pool_recon.part_of(text, '.', 1) }} || case
        when length({{ decimals }}) > 0 or coalesce({{ minor_unit }}, 0) > 0
            then '.' || rpad({{ decimals }}, greatest(length({{ decimals }}), coalesce({{ minor_unit }}, 0)), '0')
        else ''
    end
{%- endmacro %}
