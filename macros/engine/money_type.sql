{#- The one type of every amount, balance and rate: 20 integer digits and 18 decimals, exact. -#}
{% macro money_type() -%}
    {{ return(adapter.dispatch('money_type', 'pool_recon')()) }}
{%- endmacro %}

{% macro default__money_type() -%}
    decimal(38, 18)
{%- endmacro %}
