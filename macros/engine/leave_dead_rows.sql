{#-
    Let rows that a build deletes lie where they are, as long as they are few, where the engine would make room at once, and
    as long as no table that every close appends to lies in many pieces for it.

    Arguments:
        is_incremental: whether the build deletes rows at all.
        row_counts: how many rows of every kept table live, as `kept_row_counts` tells.
-#}
{% macro leave_dead_rows(is_incremental, row_counts) -%}
    {{ return(adapter.dispatch('leave_dead_rows', 'pool_recon')(is_incremental, row_counts)) }}
{%- endmacro %}

{% macro default__leave_dead_rows(is_incremental, row_counts) -%}
{%- endmacro %}

{#- To move the rows of half-empty row groups together costs a day several times what it writes itself. Without it each row that
    is appended begins a row group, and takes a block of the file. -#}
{% macro duckdb__leave_dead_rows(is_incremental, row_counts) -%}
    {%- set ns = namespace(alive=0, leave=false) -%}
    {%- if is_incremental -%}
        {%- for table in row_counts.split(',') if table -%}
            {%- set ns.alive = ns.alive + table.split('=')[1].split('/')[0] | int -%}
        {%- endfor -%}
        {%- set kept = [] -%}
        {%- for node in pool_recon.kept_models().values() -%}
            {%- do kept.append("('" ~ node.schema ~ "', '" ~ node.alias ~ "')") -%}
        {%- endfor -%}
        {%- set stored = run_query('select sum(estimated_size) from duckdb_tables() where database_name = current_database() and (schema_name, table_name) in (' ~ kept | join(', ') ~ ')').rows[0][0] | int -%}
        {%- set pieces = [] -%}
        {%- for node in graph.nodes.values() if node.package_name == 'pool_recon' and node.resource_type == 'model' and node.config.materialized == 'incremental' -%}
            {%- do pieces.append("select count(distinct row_group_id) as row_groups from pragma_storage_info('" ~ node.schema ~ '.' ~ node.alias ~ "')") -%}
        {%- endfor -%}
        {%- set row_groups = run_query('select max(row_groups) from (' ~ pieces | join(' union all ') ~ ')').rows[0][0] | int -%}
        {%- set ns.leave = stored <= ns.alive * 5 // 4 and row_groups < 8 -%}
    {%- endif -%}
    {%- do run_query('set global max_vacuum_tasks = 0' if ns.leave else 'reset global max_vacuum_tasks') -%}
{%- endmacro %}
