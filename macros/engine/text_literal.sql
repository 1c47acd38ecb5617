{#- A text that is known while dbt compiles, such as a var or a path, whatever quotes it has. -#}
{% macro text_literal(text) -%}
    cast('{{ dbt.escape_single_quotes(text) }}' as {{ dbt.type_string() }})
{%- endmacro %}
