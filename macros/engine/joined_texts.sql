{#- Several texts of a row with a separator between them, nulls left out; empty where all are null. -#}
{% macro joined_texts(separator, texts) -%}
    {{ return(adapter.dispatch('joined_texts', 'pool_recon')(separator, texts)) }}
{%- endmacro %}

{% macro default__joined_texts(separator, texts) -%}
    concat_ws('{{ separator }}', {{ texts | join(', ') }})
{%- endmacro %}
