{#- At the end of a query whose columns are used several times by the next one: each is computed once for each row. -#}
{% macro computed_once() -%}
    {{ return(adapter.dispatch('computed_once', 'pool_recon')()) }}
{%- endmacro %}

{% macro default__computed_once() -%}
{%- endmacro %}

{#- PostgreSQL puts the expression in every place where the column stands, unless something is between the two. -#}
{% macro postgres__computed_once() -%}
    {{- ' offset 0' -}}
{%- endmacro %}
