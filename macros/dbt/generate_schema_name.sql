{#- The schema names of dbt_project.yml are used as they are when this is the root project, where a close in PostgreSQL
    builds under names with a prefix, beside those that readers see. dbt asks an installed package for its own rule before
    it asks the project that installs it, so that project's rule is called from here. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if project_name == 'pool_recon' -%}
        {{ (env_var('POOL_RECON_SCHEMA_PREFIX', '') ~ (custom_schema_name or target.schema)) | trim }}
    {%- else -%}
        {%- set own_rule = context.get(project_name, {}).get('generate_schema_name', dbt.generate_schema_name) -%}
        {{ own_rule(custom_schema_name, node) }}
    {%- endif -%}
{%- endmacro %}
