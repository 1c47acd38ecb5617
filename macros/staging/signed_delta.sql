{#- What an entry does to the balance: an amount without a minus takes the sign of its class, one with a minus
    stays as written. An unknown class has no delta. -#}
{% macro signed_delta(amount, balance_sign) -%}
    case
        when {{ balance_sign }} = '-' then -abs({{ amount }})
        when {{ balance_sign }} is not null then {{ amount }}
    end
{%- endmacro %}
