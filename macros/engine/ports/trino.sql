{#- Trino. Well formed, and never run. See docs/porting.md. -#}

{% macro trino__matches_whole(column, pattern) -%}
    regexp_like({{ column }}, '\A(?:{{ pattern }})\z')
{%- endmacro %}

{% macro trino__matches_within(column, pattern) -%}
    regexp_like({{ column }}, '{{ pattern }}')
{%- endmacro %}

{% macro trino__matches_replaced(column, pattern, mark) -%}
    regexp_replace({{ column }}, '{{ pattern }}', '$1{{ mark }}')
{%- endmacro %}

{% macro trino__lowest_of(values) -%}
    array_min(filter(array[{{ values | join(', ') }}], each_value -> each_value is not null))
{%- endmacro %}

{% macro trino__highest_of(values) -%}
    array_max(filter(array[{{ values | join(', ') }}], each_value -> each_value is not null))
{%- endmacro %}

{% macro trino__whole_part(number) -%}
    truncate({{ number }})
{%- endmacro %}

{#- `trunc` is not known, and so the exact way for all numbers. -#}
{% macro trino__product_misses(source, rate, target, tolerance) -%}
    {{ pool_recon.product_misses_by_limbs(source, rate, target, tolerance) }}
{%- endmacro %}

{% macro trino__row_as_text(columns) -%}
    '{' || concat_ws(',' {%- for name, expression in columns %}, '"{{ name }}":' || json_format(cast({{ expression }} as json)){% endfor %}) || '}'
{%- endmacro %}

{#- Differences go down to milliseconds only; what is below a second is read from the text of the moment. -#}
{% macro trino__seconds_between(start, finish) -%}
    cast(date_diff('second', date_trunc('second', {{ start }}), date_trunc('second', {{ finish }})) as decimal(31, 12))
    + cast({{ pool_recon.trino__microseconds(finish) }} - {{ pool_recon.trino__microseconds(start) }} as decimal(24, 6)) * decimal '0.000001'
{%- endmacro %}

{% macro trino__microseconds(moment) -%}
    cast(substr(cast(cast({{ moment }} as timestamp(6)) as varchar), 21, 6) as bigint)
{%- endmacro %}

{% macro trino__text_hash(text) -%}
    lower(to_hex(md5(to_utf8({{ text }}))))
{%- endmacro %}

{% macro trino__text_list(column) -%}
    array_join(array_sort(array_agg(distinct {{ column }}) filter (where {{ column }} is not null)), ';')
{%- endmacro %}

{% macro trino__id_list(column) -%}
    array_join(array_sort(array_agg({{ column }}) filter (where {{ column }} is not null)), ';')
{%- endmacro %}

{% macro trino__timestamp_text(moment) -%}
    date_format({{ moment }}, '%Y-%m-%dT%H:%i:%s') || case when {{ pool_recon.trino__microseconds(moment) }} = 0 then '' else '.' || substr(cast(cast({{ moment }} as timestamp(6)) as varchar), 21, 6) end || 'Z'
{%- endmacro %}

{% macro trino__utc_timestamp(column) -%}
    {%- set rest = 'substr(' ~ column ~ ', 17)' -%}
    {%- set offset = "replace(regexp_extract(" ~ rest ~ ", '[+-].*'), ':', '')" -%}
    {%- set minutes = "coalesce(cast(substr(" ~ offset ~ ", 1, 1) || '1' as bigint) * (cast(substr(" ~ offset ~ ", 2, 2) as bigint) * 60 + coalesce(cast(nullif(substr(" ~ offset ~ ", 4), '') as bigint), 0)), 0)" -%}
    {%- set moment = "date_add('minute', -" ~ minutes ~ ", try_cast(substr(" ~ column ~ ", 1, 10) || ' ' || substr(" ~ column ~ ", 12, 5) || coalesce(regexp_extract(" ~ rest ~ ", '^:[0-9]{2}(?:[.][0-9]{1,6})?'), ':00') as timestamp(6)))" -%}
    case when {{ moment }} between cast('0001-01-01 00:00:00' as timestamp(6)) and cast('9999-12-31 23:59:59.999999' as timestamp(6)) then {{ moment }} end
{%- endmacro %}

{% macro trino__value_at_latest(value, moment, id, condition) -%}
    max_by({{ value }}, row({{ moment }}, {{ id }})) filter (where {{ condition }} and {{ moment }} is not null and {{ value }} is not null)
{%- endmacro %}

{% macro trino__value_at_earliest(value, moment, id, condition) -%}
    min_by({{ value }}, row({{ moment }}, {{ id }})) filter (where {{ condition }} and {{ moment }} is not null and {{ value }} is not null)
{%- endmacro %}

{% macro trino__words_of(name) -%}
    regexp_replace(lower(regexp_replace(regexp_replace(regexp_replace({{ name }}, '([0-9]+)', ' $1 '), '([a-z])([A-Z])', '$1 $2'), '([A-Z])([A-Z][a-z])', '$1 $2')), '[^a-z0-9]+', ' ')
{%- endmacro %}

{% macro trino__trimmed(column) -%}
    nullif(regexp_replace({{ column }}, '\A[ \t\n\x0B\f\r]+|[ \t\n\x0B\f\r]+\z', ''), '')
{%- endmacro %}

{#- What has no point has no part behind it. -#}
{% macro trino__part_of(text, separator, number) -%}
    coalesce(split_part({{ text }}, '{{ separator }}', {{ number }}), '')
{%- endmacro %}

{% macro trino__amount_text(amount, minor_unit) -%}
    {%- set text = 'cast(' ~ amount ~ ' as varchar)' -%}
    {%- set decimals = "regexp_replace(" ~ pool_recon.part_of(text, '.', 2) ~ ", '0+$', '')" -%}
    {{ pool_recon.part_of(text, '.', 1) }} || case
        when length({{ decimals }}) > 0 or coalesce({{ minor_unit }}, 0) > 0
            then '.' || rpad({{ decimals }}, greatest(length({{ decimals }}), coalesce({{ minor_unit }}, 0)), '0')
        else ''
    end
{%- endmacro %}
