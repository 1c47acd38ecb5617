{#- The hash of a text as 32 hexadecimal digits; the same on every engine. -#}
{% macro text_hash(text) -%}
    {{ return(adapter.dispatch('text_hash', 'pool_recon')(text)) }}
{%- endmacro %}

{% macro default__text_hash(text) -%}
    md5({{ text }})
{%- endmacro %}
