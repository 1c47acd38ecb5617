{#- A part of a text between separators, counted from 1; empty where there is no such part. -#}
{% macro part_of(text, separator, number) -%}
    {{ return(adapter.dispatch('part_of', 'pool_recon')(text, separator, number)) }}
{%- endmacro %}

{% macro default__part_of(text, separator, number) -%}
    split_part({{ text }}, '{{ separator }}', {{ number }})
{%- endmacro %}
