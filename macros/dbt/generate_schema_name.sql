{#- The schema names of dbt_project.yml are used as they are when this is the root project;
    an installing project keeps its own rule. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
