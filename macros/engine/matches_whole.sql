{#- True when the whole text matches a regular expression (the subset that RE2, PostgreSQL and Java share). -#}
{% macro matches_whole(column, pattern) -%}
    {{ return(adapter.dispatch('matches_whole', 'pool_recon')(column, pattern)) }}
{%- endmacro %}

{% macro default__matches_whole(column, pattern) -%}
    regexp_full_match({{ column }}, '{{ pattern }}')
{%- endmacro %}

{% macro postgres__matches_whole(column, pattern) -%}
    ({{ column }} ~ '^(?:{{ pattern }})$')
{%- endmacro %}

{% macro spark__matches_whole(column, pattern) -%}
    ({{ column }} rlike '\\A(?:{{ pattern | replace("\\", "\\\\") }})\\z')
{%- endmacro %}
