{#- The landed texts of a row as one JSON object, in the order given, absent values left out.
    `columns` are (name, expression) pairs. -#}
{% macro row_as_text(columns) -%}
    {{ return(adapter.dispatch('row_as_text', 'pool_recon')(columns)) }}
{%- endmacro %}

{% macro default__row_as_text(columns) -%}
    '{' || concat_ws(',' {%- for name, expression in columns %}, '"{{ name }}":' || cast(to_json({{ expression }}) as varchar){% endfor %}) || '}'
{%- endmacro %}

{% macro postgres__row_as_text(columns) -%}
    '{' || concat_ws(',' {%- for name, expression in columns %}, '"{{ name }}":' || cast(to_json(cast({{ expression }} as text)) as text){% endfor %}) || '}'
{%- endmacro %}
