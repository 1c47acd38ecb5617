{#- True when one of the balances that an unordered moment states is the expected one. -#}
{% macro states_balance(stated_balances, expected) -%}
    {{ stated_balances }} = cast({{ expected }} as {{ dbt.type_string() }})
    or {{ stated_balances }} like cast({{ expected }} as {{ dbt.type_string() }}) || ';%'
    or {{ stated_balances }} like '%;' || cast({{ expected }} as {{ dbt.type_string() }})
    or {{ stated_balances }} like '%;' || cast({{ expected }} as {{ dbt.type_string() }}) || ';%'
{%- endmacro %}
