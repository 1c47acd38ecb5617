{#- The public models for the eyes of POOL_RECON_READER_ROLE, a role of the database that may read these and nothing else.
    Without that variable, and on an engine without roles, nothing. -#}
{% macro grant_to_reader() -%}
    {{ return(adapter.dispatch('grant_to_reader', 'pool_recon')()) }}
{%- endmacro %}

{% macro default__grant_to_reader() -%}
{%- endmacro %}

{% macro postgres__grant_to_reader() -%}
    {%- set reader = env_var('POOL_RECON_READER_ROLE', '') -%}
    {%- if execute and reader -%}
        {%- set schemas = [] -%}
        {%- set relations = [] -%}
        {%- for model in graph.nodes.values() if model.resource_type == 'model' and model.package_name == 'pool_recon' and model.access == 'public' -%}
            {%- set relation = adapter.get_relation(model.database, model.schema, model.alias) -%}
            {%- if relation -%}
                {%- do relations.append(relation | string) -%}
                {%- do schemas.append(adapter.quote(model.schema)) if adapter.quote(model.schema) not in schemas -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if relations -%}
            grant usage on schema {{ schemas | join(', ') }} to {{ adapter.quote(reader) }};
            grant select on {{ relations | join(', ') }} to {{ adapter.quote(reader) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
