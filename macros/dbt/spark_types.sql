{#- A text has a length on Spark where it is called varchar; contracts and seeds name the types of the other engines. -#}
{% macro spark__cast(field, type) -%}
    cast({{ field }} as {{ pool_recon.spark_type(type) }})
{%- endmacro %}

{#- A type under the name that Spark has for it. -#}
{% macro spark_type(type) -%}
    {{ return('string' if type | lower in ('varchar', 'text') else type) }}
{%- endmacro %}
