{#- True when two values are the same, two nulls too: for the condition of a join. No value is an empty text. -#}
{% macro same_value(left, right) -%}
    {{ return(adapter.dispatch('same_value', 'pool_recon')(left, right)) }}
{%- endmacro %}

{% macro default__same_value(left, right) -%}
    {{ left }} is not distinct from {{ right }}
{%- endmacro %}

{#- PostgreSQL hashes no other comparison than this, and would compare every row with every other. -#}
{% macro postgres__same_value(left, right) -%}
    coalesce(cast({{ left }} as text), '') = coalesce(cast({{ right }} as text), '')
{%- endmacro %}
