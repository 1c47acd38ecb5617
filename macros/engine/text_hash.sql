{#- The hash of a text as 32 hexadecimal digits; the same on every engine. -#}
{% macro text_hash(text) -%}
    md5({{ text }})
{%- endmacro %}
