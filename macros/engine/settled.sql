{#- What a table needs once it is filled; nothing where the engine sees to it by itself. -#}
{% macro settled(relation) -%}
    {{ return(adapter.dispatch('settled', 'pool_recon')(relation)) }}
{%- endmacro %}

{% macro default__settled(relation) -%}
{%- endmacro %}

{#- Texts are compared by their bytes whatever language the database is in, which also decides what is first and last of
    several ids; only the catalog changes. And the planner counts what it would otherwise guess. -#}
{% macro postgres__settled(relation) -%}
    {%- if execute and model.config.materialized != 'view' -%}
        {%- set texts = [] -%}
        {%- set columns -%}
            select attname, format_type(atttypid, atttypmod) from pg_attribute
            where attrelid = '{{ relation }}'::regclass and attnum > 0 and attcollation <> 0 and attcollation <> '"C"'::regcollation
        {%- endset -%}
        {%- for column in run_query(columns).rows -%}
            {%- do texts.append('alter column ' ~ adapter.quote(column[0]) ~ ' type ' ~ column[1] ~ ' collate "C"') -%}
        {%- endfor -%}
        {%- if texts -%}
            alter table {{ relation }} {{ texts | join(', ') }};
        {%- endif -%}
        analyze {{ relation }}
    {%- endif -%}
{%- endmacro %}
