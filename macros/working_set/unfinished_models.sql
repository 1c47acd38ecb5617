{#-
    Models and seeds that a run began to build, or whose parents it did, and that none has built to its end since: their tables
    are of an earlier run, or of no rows, or have not seen what is new in those before them. They stand in a table that is there
    as long as there are any, so that also a run that was killed is known of. `close_id` says for which close they were begun.
-#}
{% macro unfinished_models() -%}
    {%- set table = pool_recon.table_of_unfinished_models() if execute -%}
    {%- set known = adapter.get_relation(table.database, table.schema, table.identifier) if execute else none -%}
    {%- set noted = run_query('select unique_ids, close_id from ' ~ known).rows[0] if known is not none else ('', none) -%}
    {#- what the project no longer has is not built any more -#}
    {{ return({'unique_ids': noted[0].split(' ') | select('in', graph.nodes) | list if noted[0] else [], 'close_id': noted[1]}) }}
{%- endmacro %}


{#- Write down, at the start of a run, what it is to build and what would have to be built after it. -#}
{% macro begin_models() -%}
    {%- if execute and flags.WHICH in ['build', 'run', 'seed'] -%}
    {#- dbt makes the schemas only of what it builds -#}
    {%- set table = pool_recon.table_of_unfinished_models() -%}
    {%- if table.schema not in dbt.list_schemas(table.database).columns[0].values() -%}
        {%- do adapter.create_schema(table) -%}
    {%- endif -%}
    {%- set unfinished = pool_recon.unfinished_models() -%}
    {%- for unique_id in pool_recon.models_to_build() if unique_id not in unfinished.unique_ids -%}
        {%- do unfinished.unique_ids.append(unique_id) -%}
    {%- endfor -%}
    {#- seeds are of no date -#}
    {%- do unfinished.update({'close_id': pool_recon.close_id()}) if flags.WHICH != 'seed' -%}
    {%- do pool_recon.note_unfinished_models(unfinished) -%}
    {%- do graph.update({'pool_recon_unfinished': unfinished}) -%}
    {%- endif -%}
{%- endmacro %}


{#- Write down, at the end of a run, what is still to be built. -#}
{% macro end_models(results) -%}
    {%- if execute and 'pool_recon_unfinished' in graph -%}
    {%- set built = results | selectattr('status', 'equalto', 'success') | map(attribute='node') | map(attribute='unique_id') | list if not flags.EMPTY else [] -%}
    {#- what runs next in this process is another run -#}
    {%- set unfinished = graph.pop('pool_recon_unfinished') -%}
    {%- do pool_recon.note_unfinished_models({'unique_ids': unfinished.unique_ids | reject('in', built) | list, 'close_id': unfinished.close_id}) -%}
    {%- endif -%}
{%- endmacro %}


{#-
    The models and seeds of this run, and where it leaves some out, the tables after them: a view shows what is new by itself. A
    retry has none of its own; it goes on with what was written down before.
-#}
{% macro models_to_build() -%}
    {%- set reached = {} -%}
    {%- for id, node in graph.nodes.items() if id in selected_resources and node.package_name == 'pool_recon' and node.resource_type in ['model', 'seed'] -%}
        {%- do reached.update({id: true}) -%}
    {%- endfor -%}
    {%- set before = namespace(count=0) -%}
    {%- for _ in (graph.nodes if pool_recon.models_left_out() else []) -%}
        {%- if before.count < reached | length -%}
        {%- set before.count = reached | length -%}
        {%- for id, node in graph.nodes.items() if id not in reached and node.package_name == 'pool_recon' and node.resource_type == 'model' -%}
            {%- do reached.update({id: node.config.materialized != 'view'}) if node.depends_on.nodes | select('in', reached) | list -%}
        {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(reached.items() | selectattr(1) | map(attribute=0) | list) }}
{%- endmacro %}


{#- The models and seeds of this project that the run does not build. -#}
{% macro models_left_out() -%}
    {%- set left_out = [] -%}
    {%- for id, node in graph.nodes.items() if node.package_name == 'pool_recon' and node.resource_type in ['model', 'seed'] and node.config.enabled and id not in selected_resources -%}
        {%- do left_out.append(id) -%}
    {%- endfor -%}
    {{ return(left_out) }}
{%- endmacro %}


{#- The table is made anew each time, and not where nothing is left to build. -#}
{% macro note_unfinished_models(unfinished) -%}
    {%- set table = pool_recon.table_of_unfinished_models() -%}
    {%- call statement('forget_unfinished_models', auto_begin=True) -%}
    drop table if exists {{ table }}
    {%- endcall -%}
    {%- if unfinished.unique_ids -%}
    {%- call statement('note_unfinished_models', auto_begin=True) -%}
    create table {{ table }} as
    select
        cast('{{ unfinished.unique_ids | join(' ') }}' as {{ dbt.type_string() }}) as unique_ids,
        cast({{ pool_recon.text_literal(unfinished.close_id) if unfinished.close_id else 'null' }} as {{ dbt.type_string() }}) as close_id
    {%- endcall -%}
    {%- endif -%}
    {#- dbt itself commits nothing at the start and the end of a run -#}
    {%- do adapter.commit() -%}
{%- endmacro %}


{#- It is among the intermediate models, wherever those are. -#}
{% macro table_of_unfinished_models() -%}
    {%- set beside = graph.nodes['model.pool_recon.int_rows_at_hand'] -%}
    {{ return(api.Relation.create(database=beside.database, schema=beside.schema, identifier='unfinished_models')) }}
{%- endmacro %}
