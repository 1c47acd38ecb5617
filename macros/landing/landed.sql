{#- A landed table: what the loader filled, or what stands in its place for tables that another tool fills. -#}
{% macro landed(name) -%}
    {%- if pool_recon.own_sources() -%}
        {{ return(ref('landed_' ~ name)) }}
    {%- else -%}
        {{ return(source('raw', name)) }}
    {%- endif -%}
{%- endmacro %}
