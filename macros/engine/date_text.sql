{#- A date as published: YYYY-MM-DD. -#}
{% macro date_text(date) -%}
    {{ return(adapter.dispatch('date_text', 'pool_recon')(date)) }}
{%- endmacro %}

{% macro default__date_text(date) -%}
    cast({{ date }} as {{ dbt.type_string() }})
{%- endmacro %}

{#- A cast would follow the settings of whoever reads the view. -#}
{% macro postgres__date_text(date) -%}
    to_char({{ date }}, 'YYYY-MM-DD')
{%- endmacro %}
