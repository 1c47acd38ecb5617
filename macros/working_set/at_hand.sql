{#-
    A relation as far as this build looks at it: all of its rows in a full build; in an incremental one those that new
    rows touch and those that time may still change. A model that is kept reads its inputs through this.

    Arguments:
        name: a model of staging or of intermediate that is kept, or a view over such.
-#}
{% macro at_hand(name) -%}
    {%- set relation = ref(name) -%}
    {%- if model.resource_type == 'unit_test' or not pool_recon.keeps_rows() -%}
        {{ return(relation) }}
    {%- endif -%}
    {#- what picks the rows has to be built before, also where dbt only parses -#}
    {%- do ref('int_rows_at_hand') -%}
    {%- set build = pool_recon.this_build() -%}
    {%- set statement = context['pool_recon'][name | replace('int_', '', 1)] | default(none) if not execute or build.is_incremental else none -%}
    {%- set rows_of_view = statement(pool_recon.at_hand) if statement is not none -%}
    {%- set kept = pool_recon.kept_models() if execute else {} -%}
    {%- if not execute -%}
        {{ return(relation) }}
    {%- elif statement is not none -%}
        {{ return(pool_recon.query_as_relation(rows_of_view, name)) }}
    {%- elif name in pool_recon.tables_at_hand() -%}
        {{ return(pool_recon.tables_at_hand()[name] if build.is_incremental else relation) }}
    {%- elif name in kept and kept[name].config.meta.kept_by != 'file' -%}
        {{ return(pool_recon.kept_rows_at_hand(relation, kept[name].columns.keys())) }}
    {%- endif -%}
    {{ return(relation) }}
{%- endmacro %}


{#- The models whose rows are kept from build to build, as the project describes them, by name. They are looked for once in
    a run, and are the same for all of its models. -#}
{% macro kept_models() -%}
    {%- if not graph.get('pool_recon_kept_models') -%}
        {%- set kept = {} -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.package_name == 'pool_recon' and node.config.meta.kept_by -%}
            {%- do kept.update({node.name: node}) -%}
        {%- endfor -%}
        {%- do graph.update({'pool_recon_kept_models': kept}) -%}
    {%- endif -%}
    {{ return(graph['pool_recon_kept_models']) }}
{%- endmacro %}


{#- Where the staged rows at hand are while an incremental build runs, by the staging model; put together once in a run. -#}
{% macro tables_at_hand() -%}
    {%- if not graph.get('pool_recon_tables_at_hand') -%}
        {%- set tables = {} -%}
        {%- for export_name in pool_recon.required_export_names() -%}
            {%- do tables.update({'stg_' ~ export_name: pool_recon.relation_at_hand(export_name)}) -%}
        {%- endfor -%}
        {%- do graph.update({'pool_recon_tables_at_hand': tables}) -%}
    {%- endif -%}
    {{ return(graph['pool_recon_tables_at_hand']) }}
{%- endmacro %}

{#- A table that an incremental build makes for itself, which is no model. -#}
{% macro relation_at_hand(name) -%}
    {{ return(pool_recon.room_at_hand(name).incorporate(path={'identifier': 'at_hand_' ~ name})) }}
{%- endmacro %}


{#-
    Make some of these tables anew.

    Arguments:
        definitions: what comes after the name of each in the statement that creates it, by its name.
-#}
{% macro make_tables_at_hand(definitions) -%}
    {%- set fillings = [] -%}
    {%- for name, definition in definitions.items() -%}
        {%- do fillings.append((none, 'drop table if exists ' ~ pool_recon.relation_at_hand(name))) -%}
        {%- do fillings.append((name, 'create table ' ~ pool_recon.relation_at_hand(name) ~ ' ' ~ definition)) -%}
    {%- endfor -%}
    {%- do pool_recon.fill_tables_at_hand(fillings) -%}
{%- endmacro %}
