{#- The distinct values of a group, sorted, joined by `;`. Engines differ in the aggregate. -#}
{% macro text_list(column) -%}
    {{ return(adapter.dispatch('text_list', 'pool_recon')(column)) }}
{%- endmacro %}

{% macro default__text_list(column) -%}
    string_agg(distinct {{ column }}, ';' order by {{ column }})
{%- endmacro %}

{% macro postgres__text_list(column) -%}
    string_agg(distinct cast({{ column }} as text) collate "C", ';' order by cast({{ column }} as text) collate "C")
{%- endmacro %}

{% macro spark__text_list(column) -%}
    nullif(array_join(sort_array(collect_set({{ column }})), ';'), '')
{%- endmacro %}


{#- The same of ids that are distinct already, for which sorting a list is quicker. -#}
{% macro id_list(column) -%}
    {{ return(adapter.dispatch('id_list', 'pool_recon')(column)) }}
{%- endmacro %}

{% macro default__id_list(column) -%}
    string_agg({{ column }}, ';' order by {{ column }})
{%- endmacro %}

{% macro duckdb__id_list(column) -%}
    array_to_string(list_sort(list({{ column }})), ';')
{%- endmacro %}

{% macro postgres__id_list(column) -%}
    string_agg({{ column }}, ';' order by {{ column }} collate "C")
{%- endmacro %}

{% macro spark__id_list(column) -%}
    {{ pool_recon.spark__text_list(column) }}
{%- endmacro %}
