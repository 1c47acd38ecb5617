{#- The eight exports in their order, as in ref_exports. -#}
{% macro export_names() -%}
    {{ return(['orders', 'quotes', 'trades', 'events', 'ledger', 'funding', 'balances', 'pools']) }}
{%- endmacro %}

{#- The exports without which nothing can be closed, as in ref_exports. -#}
{% macro required_export_names() -%}
    {{ return(['orders', 'quotes', 'trades', 'events', 'ledger']) }}
{%- endmacro %}
