{#- BigQuery. Well formed, and never run. See docs/porting.md. -#}

{% macro bigquery__matches_whole(column, pattern) -%}
    regexp_contains({{ column }}, r'\A(?:{{ pattern }})\z')
{%- endmacro %}

{% macro bigquery__matches_within(column, pattern) -%}
    regexp_contains({{ column }}, r'{{ pattern }}')
{%- endmacro %}

{% macro bigquery__matches_replaced(column, pattern, mark) -%}
    regexp_replace({{ column }}, r'{{ pattern }}', r'\1{{ mark }}')
{%- endmacro %}

{% macro bigquery__money_type() -%}
    bignumeric(38, 18)
{%- endmacro %}

{#- A product may have 38 digits before the point and 38 behind it. -#}
{% macro bigquery__product_misses(source, rate, target, tolerance) -%}
    abs({{ source }} * {{ rate }} - {{ target }}) > {{ tolerance }}
{%- endmacro %}

{% macro bigquery__lowest_of(values) -%}
    (select min(value) from unnest([{{ values | join(', ') }}]) as value)
{%- endmacro %}

{% macro bigquery__highest_of(values) -%}
    (select max(value) from unnest([{{ values | join(', ') }}]) as value)
{%- endmacro %}

{% macro bigquery__joined_texts(separator, texts) -%}
    array_to_string([{{ texts | join(', ') }}], '{{ separator }}')
{%- endmacro %}

{% macro bigquery__part_of(text, separator, number) -%}
    coalesce(split({{ text }}, '{{ separator }}')[safe_ordinal({{ number }})], '')
{%- endmacro %}

{% macro bigquery__row_as_text(columns) -%}
    '{' || array_to_string([{% for name, expression in columns %}{{ ', ' if not loop.first }}case when {{ expression }} is not null then '"{{ name }}":' || to_json_string({{ expression }}) end{% endfor %}], ',') || '}'
{%- endmacro %}

{% macro bigquery__seconds_between(start, finish) -%}
    cast(datetime_diff({{ finish }}, {{ start }}, microsecond) as bignumeric) * cast('0.000001' as bignumeric)
{%- endmacro %}

{% macro bigquery__text_hash(text) -%}
    to_hex(md5({{ text }}))
{%- endmacro %}

{% macro bigquery__timestamp_text(moment) -%}
    case
        when extract(microsecond from {{ moment }}) = 0 then format_datetime('%Y-%m-%dT%H:%M:%SZ', {{ moment }})
        else format_datetime('%Y-%m-%dT%H:%M:%E6SZ', {{ moment }})
    end
{%- endmacro %}

{% macro bigquery__utc_timestamp(column) -%}
    {%- set rest = 'substr(' ~ column ~ ', 17)' -%}
    {%- set offset = "replace(regexp_extract(" ~ rest ~ ", r'[+-].*'), ':', '')" -%}
    {%- set minutes = "coalesce(cast(concat(left(" ~ offset ~ ", 1), '1') as int64) * (cast(substr(" ~ offset ~ ", 2, 2) as int64) * 60 + coalesce(cast(nullif(substr(" ~ offset ~ ", 4), '') as int64), 0)), 0)" -%}
    safe.datetime_sub(safe_cast(left({{ column }}, 10) || ' ' || substr({{ column }}, 12, 5) || coalesce(regexp_extract({{ rest }}, r'^:[0-9]{2}(?:\.[0-9]{1,6})?'), ':00') as datetime), interval {{ minutes }} minute)
{%- endmacro %}

{% macro bigquery__value_at_latest(value, moment, id, condition) -%}
    array_agg(case when {{ condition }} and {{ moment }} is not null then {{ value }} end ignore nulls order by {{ moment }} desc, {{ id }} desc limit 1)[safe_offset(0)]
{%- endmacro %}

{% macro bigquery__value_at_earliest(value, moment, id, condition) -%}
    array_agg(case when {{ condition }} and {{ moment }} is not null then {{ value }} end ignore nulls order by {{ moment }}, {{ id }} limit 1)[safe_offset(0)]
{%- endmacro %}

{% macro bigquery__words_of(name) -%}
    regexp_replace(lower(regexp_replace(regexp_replace(regexp_replace({{ name }}, r'([0-9]+)', r' \1 '), r'([a-z])([A-Z])', r'\1 \2'), r'([A-Z])([A-Z][a-z])', r'\1 \2')), r'[^a-z0-9]+', ' ')
{%- endmacro %}

{% macro bigquery__trimmed(column) -%}
    nullif(trim({{ column }}, {{ pool_recon.ascii_white_space() }}), '')
{%- endmacro %}
