{#- The exact seconds from one moment to another, to the microsecond. -#}
{% macro seconds_between(start, finish) -%}
    {{ return(adapter.dispatch('seconds_between', 'pool_recon')(start, finish)) }}
{%- endmacro %}

{% macro default__seconds_between(start, finish) -%}
    cast((epoch_us({{ finish }}) - epoch_us({{ start }})) as decimal(24, 6)) * cast(0.000001 as decimal(7, 6))
{%- endmacro %}

{% macro postgres__seconds_between(start, finish) -%}
    extract(epoch from {{ finish }} - {{ start }})
{%- endmacro %}

{% macro spark__seconds_between(start, finish) -%}
    cast(cast(timestampdiff(microsecond, {{ start }}, {{ finish }}) as decimal(24, 6)) * cast(0.000001 as decimal(7, 6)) as decimal(31, 12))
{%- endmacro %}
