{#- The lowest of several values of a row; null only where all are. Engines differ in whether one null makes it null. -#}
{% macro lowest_of(values) -%}
    {{ return(adapter.dispatch('lowest_of', 'pool_recon')(values)) }}
{%- endmacro %}

{% macro default__lowest_of(values) -%}
    least({{ values | join(', ') }})
{%- endmacro %}


{#- The highest of several values of a row; null only where all are. -#}
{% macro highest_of(values) -%}
    {{ return(adapter.dispatch('highest_of', 'pool_recon')(values)) }}
{%- endmacro %}

{% macro default__highest_of(values) -%}
    greatest({{ values | join(', ') }})
{%- endmacro %}
