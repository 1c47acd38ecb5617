{#- A moment for ordering in which an absent one comes last. -#}
{% macro absent_last(moment) -%}
    coalesce({{ moment }}, cast('9999-12-31 23:59:59.999999' as timestamp))
{%- endmacro %}

{#- A moment for ordering in which an absent one comes first. -#}
{% macro absent_first(moment) -%}
    coalesce({{ moment }}, cast('0001-01-01 00:00:00' as timestamp))
{%- endmacro %}
