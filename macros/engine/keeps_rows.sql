{#- Whether the tables of the engine keep rows from build to build. Where they do not, every build is a full one. -#}
{% macro keeps_rows() -%}
    {{ return(adapter.dispatch('keeps_rows', 'pool_recon')()) }}
{%- endmacro %}

{% macro default__keeps_rows() -%}
    {{ return(false) }}
{%- endmacro %}

{#- An installing project fills tables in dbt's own way, which replaces them. -#}
{% macro duckdb__keeps_rows() -%}
    {{ return(project_name == 'pool_recon') }}
{%- endmacro %}
