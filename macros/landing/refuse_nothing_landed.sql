{#- Refuse to build everything where nothing was ever loaded, before a model says it in words of the engine. -#}
{% macro refuse_nothing_landed() -%}
    {%- set files = source('raw', 'files') -%}
    {%- if adapter.get_relation(files.database, files.schema, files.identifier) is none -%}
        {{ exceptions.raise_compiler_error("nothing has landed in " ~ (target.path or files.database or target.name) ~ ": it has no table " ~ files.schema ~ "." ~ files.identifier ~ "; run 'pool-recon load --exports DIR' with the same warehouse first, or name it in POOL_RECON_WAREHOUSE") }}
    {%- endif -%}
{%- endmacro %}
