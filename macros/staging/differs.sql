{#- True when two rows differ in any of the columns; two nulls are equal. -#}
{% macro differs(left, right, columns) -%}
    ({% for column in columns %}{{ left }}.{{ column }} is distinct from {{ right }}.{{ column }}{{ ' or ' if not loop.last }}{% endfor %})
{%- endmacro %}
