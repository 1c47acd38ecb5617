{#- A text without the ASCII white space around it; empty becomes null.
    DuckDB and PostgreSQL differ in the name of the function that takes the characters. -#}
{% macro trimmed(column) -%}
    {{ return(adapter.dispatch('trimmed', 'pool_recon')(column)) }}
{%- endmacro %}

{% macro ascii_white_space() -%}
    ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)
{%- endmacro %}

{#- Looking at the first and last character before trimming is five times quicker than trimming. -#}
{% macro default__trimmed(column) -%}
    nullif(case when ascii({{ column }}) <= 32 or ascii(right({{ column }}, 1)) <= 32 then trim({{ column }}, {{ pool_recon.ascii_white_space() }}) else {{ column }} end, '')
{%- endmacro %}

{% macro postgres__trimmed(column) -%}
    nullif(btrim({{ column }} collate "C", {{ pool_recon.ascii_white_space() }}), '')
{%- endmacro %}

{% macro spark__trimmed(column) -%}
    nullif(trim(both {{ pool_recon.ascii_white_space() }} from {{ column }}), '')
{%- endmacro %}
