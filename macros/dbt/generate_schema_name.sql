{#- The schema names of dbt_project.yml are used as they are when this is the root project;
    an installing project keeps its own rule. A close in PostgreSQL builds under names with a prefix, beside those that
    readers see. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (env_var('POOL_RECON_SCHEMA_PREFIX', '') ~ (custom_schema_name or target.schema)) | trim }}
{%- endmacro %}
