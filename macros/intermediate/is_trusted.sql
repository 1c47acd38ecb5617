{#- True for a confirmation that counts: a status read, which needs no signature, or a webhook with a valid one. -#}
{% macro is_trusted(source, signature_result) -%}
    ({{ source }} = 'status_read' or {{ signature_result }} = 'valid')
{%- endmacro %}
