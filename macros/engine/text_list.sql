{#- The distinct values of a group, sorted, joined by `;`. Engines differ in the aggregate. -#}
{% macro text_list(column) -%}
    {{ return(adapter.dispatch('text_list', 'pool_recon')(column)) }}
{%- endmacro %}

{% macro default__text_list(column) -%}
    string_agg(distinct {{ column }}, ';' order by {{ column }})
{%- endmacro %}

{% macro spark__text_list(column) -%}
    nullif(array_join(array_sort(collect_set({{ column }})), ';'), '')
{%- endmacro %}
