{#- A number without its decimals, cut towards zero. -#}
{% macro whole_part(number) -%}
    {{ return(adapter.dispatch('whole_part', 'pool_recon')(number)) }}
{%- endmacro %}

{% macro default__whole_part(number) -%}
    trunc({{ number }})
{%- endmacro %}

{#- `trunc` is about dates. -#}
{% macro spark__whole_part(number) -%}
    case when {{ number }} < 0 then ceil({{ number }}) else floor({{ number }}) end
{%- endmacro %}
