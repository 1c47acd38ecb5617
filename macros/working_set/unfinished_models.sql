{#-
    Models and seeds that a run began to build and that none has built to its end since: their tables are of an earlier run,
    or of no rows, and what comes after them looked at those. They stand in a table that is there as long as there are any,
    so that also a run that was killed is known of.
-#}
{% macro unfinished_models() -%}
    {%- set table = pool_recon.table_of_unfinished_models() if execute -%}
    {%- set known = adapter.get_relation(table.database, table.schema, table.identifier) if execute else none -%}
    {{ return(run_query('select unique_ids from ' ~ known).rows[0][0].split(' ') if known is not none else []) }}
{%- endmacro %}


{#- Write down, at the start of a run, what it is to build. -#}
{% macro begin_models() -%}
    {%- if execute and flags.WHICH in ['build', 'run', 'seed'] -%}
    {#- dbt makes the schemas only of what it builds -#}
    {%- set table = pool_recon.table_of_unfinished_models() -%}
    {%- if table.schema not in dbt.list_schemas(table.database).columns[0].values() -%}
        {%- do adapter.create_schema(table) -%}
    {%- endif -%}
    {%- set begun = pool_recon.unfinished_models() -%}
    {%- for node in graph.nodes.values() if node.package_name == 'pool_recon' and node.resource_type in ['model', 'seed'] and node.unique_id in selected_resources and node.unique_id not in begun -%}
        {%- do begun.append(node.unique_id) -%}
    {%- endfor -%}
    {%- do graph.update({'pool_recon_begun': begun}) -%}
    {%- do pool_recon.note_unfinished_models(begun) -%}
    {%- endif -%}
{%- endmacro %}


{#- Write down, at the end of a run, what is still to be built. -#}
{% macro end_models(results) -%}
    {%- if execute and 'pool_recon_begun' in graph -%}
    {%- set built = results | selectattr('status', 'equalto', 'success') | map(attribute='node') | map(attribute='unique_id') | list if not flags.EMPTY else [] -%}
    {%- do pool_recon.note_unfinished_models(graph.pop('pool_recon_begun') | reject('in', built) | list) -%}
    {%- endif -%}
{%- endmacro %}


{% macro note_unfinished_models(unique_ids) -%}
    {%- set table = pool_recon.table_of_unfinished_models() -%}
    {%- call statement('forget_unfinished_models', auto_begin=True) -%}
    drop table if exists {{ table }}
    {%- endcall -%}
    {%- if unique_ids -%}
    {%- call statement('note_unfinished_models', auto_begin=True) -%}
    create table {{ table }} as select cast('{{ unique_ids | join(' ') }}' as {{ dbt.type_string() }}) as unique_ids
    {%- endcall -%}
    {%- endif -%}
    {#- dbt itself commits nothing at the start and the end of a run -#}
    {%- do adapter.commit() -%}
{%- endmacro %}


{% macro table_of_unfinished_models() -%}
    {%- set beside = graph.nodes['model.pool_recon.int_rows_at_hand'] -%}
    {{ return(api.Relation.create(database=beside.database, schema=beside.schema, identifier='unfinished_models')) }}
{%- endmacro %}
