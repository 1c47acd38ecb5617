{#- True when a regular expression (the subset that RE2, PostgreSQL and Java share) matches anywhere in a text. -#}
{% macro matches_within(column, pattern) -%}
    {{ return(adapter.dispatch('matches_within', 'pool_recon')(column, pattern)) }}
{%- endmacro %}

{% macro default__matches_within(column, pattern) -%}
    regexp_matches({{ column }}, '{{ pattern }}')
{%- endmacro %}

{% macro postgres__matches_within(column, pattern) -%}
    ({{ column }} ~ '{{ pattern }}')
{%- endmacro %}

{% macro spark__matches_within(column, pattern) -%}
    ({{ column }} rlike '{{ pattern | replace("\\", "\\\\") }}')
{%- endmacro %}


{#- A text in which every match of a regular expression is replaced by its first group and a mark. -#}
{% macro matches_replaced(column, pattern, mark) -%}
    {{ return(adapter.dispatch('matches_replaced', 'pool_recon')(column, pattern, mark)) }}
{%- endmacro %}

{% macro default__matches_replaced(column, pattern, mark) -%}
    regexp_replace({{ column }}, '{{ pattern }}', '\1{{ mark }}', 'g')
{%- endmacro %}

{% macro spark__matches_replaced(column, pattern, mark) -%}
    regexp_replace({{ column }}, '{{ pattern | replace("\\", "\\\\") }}', '$1{{ mark }}')
{%- endmacro %}
