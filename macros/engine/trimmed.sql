{#- A text without the ASCII white space around it; empty becomes null.
    DuckDB and PostgreSQL differ in the name of the function that takes the characters. -#}
{% macro trimmed(column) -%}
    {{ return(adapter.dispatch('trimmed', 'pool_recon')(column)) }}
{%- endmacro %}

{#- Character by character, because engines by themselves trim blanks alone. -#}
{% macro ascii_white_space() -%}
    ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)
{%- endmacro %}

{#- A text without white space at either end is left as it is: to compare its first and last character is ten times quicker than
    to trim it, and DuckDB does so once for each different value where it keeps a column as a list of them. -#}
{% macro default__trimmed(column) -%}
    case when {{ column }} < '!' or substr({{ column }}, -1, 1) < '!' then nullif(trim({{ column }}, {{ pool_recon.ascii_white_space() }}), '') else {{ column }} end
{%- endmacro %}

{% macro postgres__trimmed(column) -%}
    nullif(btrim({{ column }} collate "C", {{ pool_recon.ascii_white_space() }}), '')
{%- endmacro %}

{% macro spark__trimmed(column) -%}
    nullif(trim(both {{ pool_recon.ascii_white_space() }} from {{ column }}), '')
{%- endmacro %}
