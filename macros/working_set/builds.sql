{#-
    What this build does: `number`, `is_incremental`, and in an incremental build `last_file_id` (files up to it were
    staged before), and `open_since` (what happened before it cannot look otherwise at a later close). A full build unless
    the start of the run decided otherwise.
-#}
{% macro this_build() -%}
    {{ return((graph.get('pool_recon_build') if execute and model.resource_type != 'unit_test' else none) or {'number': 1, 'is_incremental': false}) }}
{%- endmacro %}


{#- Decide, at the start of a run, whether the rows of the last build are kept. -#}
{% macro begin_build() -%}
    {%- if execute and flags.WHICH in ['build', 'run'] and pool_recon.keeps_rows() -%}
    {%- set state = pool_recon.build_state() -%}
    {%- set known = adapter.get_relation(state.database, state.schema, state.identifier) -%}
    {%- set last = run_query('select * from ' ~ state).rows | first | default(none) if known is not none else none -%}
    {%- set build = {'number': 1, 'is_incremental': false, 'is_whole': pool_recon.is_whole_build()} -%}
    {%- set exports = pool_recon.exports_digests(last.last_file_id if last is not none else 0) if build.is_whole else none -%}
    {%- do build.update({'exports': exports}) -%}
    {%- if last is not none and build.is_whole and last.is_complete and not flags.FULL_REFRESH and not pool_recon.own_sources()
        and last.fingerprint == pool_recon.project_fingerprint()
        and run_query('select ' ~ pool_recon.cut_off_at() ~ " >= cast('" ~ last.cut_off_at ~ "' as timestamp)").rows[0][0]
        and last.exports == exports.kept
        and last.row_counts == pool_recon.kept_row_counts() -%}
        {%- set longest_limit = [var('grace_period_seconds') | int, var('settlement_limit_seconds') | int, var('processing_limit_seconds') | int] | max -%}
        {%- set open_since = modules.datetime.datetime.fromisoformat(last.cut_off_at | string) - modules.datetime.timedelta(seconds=longest_limit) -%}
        {%- do build.update({
            'number': last.build_number + 1,
            'is_incremental': true,
            'last_file_id': last.last_file_id,
            'open_since': "cast('" ~ open_since ~ "' as timestamp)",
        }) -%}
    {%- endif -%}
    {%- do graph.update({'pool_recon_build': build}) -%}
    {%- call statement('begin_build', auto_begin=True) -%}
    create table if not exists {{ state }} (
        build_number integer,
        fingerprint varchar,
        exports varchar,
        row_counts varchar,
        cut_off_at timestamp,
        last_file_id integer,
        is_complete boolean
    );
    -- a build that is not finished leaves nothing to go on from
    update {{ state }} set is_complete = false
    {%- endcall -%}
    {#- dbt itself commits nothing at the start and the end of a run -#}
    {%- do adapter.commit() -%}
    {%- endif -%}
{%- endmacro %}


{#- Write down, at the end of a run, what the next one may go on from. -#}
{% macro end_build(results) -%}
    {%- if execute and flags.WHICH in ['build', 'run'] and pool_recon.keeps_rows() -%}
    {%- set build = pool_recon.this_build() -%}
    {%- set failed = results | selectattr('node.resource_type', 'in', ['model', 'seed']) | rejectattr('status', 'equalto', 'success') | list -%}
    {%- call statement('end_build', auto_begin=True) -%}
    {%- if build.is_whole and not failed -%}
    delete from {{ pool_recon.build_state() }};
    insert into {{ pool_recon.build_state() }} values (
        {{ build.number }},
        '{{ pool_recon.project_fingerprint() }}',
        '{{ build.exports.all }}',
        '{{ pool_recon.kept_row_counts() }}',
        {{ pool_recon.cut_off_at() }},
        {{ build.exports.last_file_id }},
        true
    );
    {%- endif -%}
    {%- for name in ['rows', 'ids', 'kept_entries', 'restarts'] + pool_recon.required_export_names() %}
    drop table if exists {{ pool_recon.relation_at_hand(name) }};
    {%- endfor -%}
    {%- endcall -%}
    {%- do adapter.commit() -%}
    {#- what runs next in this process is another run -#}
    {%- do graph.update({'pool_recon_build': none}) -%}
    {%- endif -%}
{%- endmacro %}


{% macro build_state() -%}
    {%- set beside = graph.nodes['model.pool_recon.int_rows_at_hand'] -%}
    {{ return(api.Relation.create(database=beside.database, schema=beside.schema, identifier='build_state')) }}
{%- endmacro %}

{#- Whether the run builds every model and seed, and all of their rows. -#}
{% macro is_whole_build() -%}
    {%- set left_out = [] -%}
    {%- for node in graph.nodes.values() if node.package_name == 'pool_recon' and node.resource_type in ['model', 'seed'] and node.config.enabled and node.unique_id not in selected_resources -%}
        {%- do left_out.append(node.name) -%}
    {%- endfor -%}
    {{ return(not left_out and not flags.EMPTY) }}
{%- endmacro %}

{#-
    A digest of all that decides what rows become, besides the rows and the date: models, macros, seeds, vars and the version
    of dbt. A consumer's own macros count too, because they may take the place of ours.
-#}
{% macro project_fingerprint() -%}
    {%- set parts = [dbt_version, pool_recon.business_time_zone()] -%}
    {%- for name in ['default_environment', 'default_partner', 'grace_period_seconds', 'settlement_limit_seconds', 'processing_limit_seconds', 'raw_schema'] -%}
        {%- do parts.append(name ~ '=' ~ var(name)) -%}
    {%- endfor -%}
    {%- for id, node in graph.nodes | dictsort if node.package_name == 'pool_recon' and node.resource_type in ['model', 'seed'] -%}
        {%- do parts.append(id ~ '=' ~ node.checksum.checksum) -%}
    {%- endfor -%}
    {%- for package in ['pool_recon', project_name] | unique -%}
        {%- for name, macro in (context.get(package) or {}) | dictsort if macro.macro is defined -%}
            {%- do parts.append(package ~ '.' ~ name ~ '=' ~ macro.macro.macro_sql) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(local_md5(parts | join('\n'))) }}
{%- endmacro %}

{#-
    Digests of what has landed: `kept` of the rows of the files up to one, `all` of those of all files, up to `last_file_id`.
    Both have what the presence of an export or of a column decides for all rows. Every value counts, so that a landed row
    that was changed by hand is noticed.
-#}
{% macro exports_digests(kept_file_id) -%}
    {%- set statement -%}
        with present as (
            select coalesce(string_agg(distinct ';' || files.export_name, '' order by ';' || files.export_name), '')
                || coalesce(max(case when files.export_name = 'quotes' and file_columns.contract_column = 'dest_address' then ';dest_address' end), '') as exports
            from {{ pool_recon.landed('files') }} as files
            left join {{ pool_recon.landed('file_columns') }} as file_columns on files.file_id = file_columns.file_id
        ),
        rows as (
            {%- for name in ['files', 'file_columns'] + pool_recon.export_names() %}
            {%- set file_id = '_file_id' if name in pool_recon.export_names() else 'file_id' %}
            select
                {{ loop.index }} as position,
                sum(case when {{ file_id }} <= {{ kept_file_id }} then hash(landed_rows)::hugeint else 0 end) as kept,
                sum(hash(landed_rows)::hugeint) as landed
            from {{ pool_recon.landed(name) }} as landed_rows
            {{ 'union all' if not loop.last }}
            {%- endfor %}
        )
        select
            string_agg(coalesce(rows.kept, 0), ',' order by rows.position) || any_value(present.exports),
            string_agg(coalesce(rows.landed, 0), ',' order by rows.position) || any_value(present.exports),
            (select coalesce(max(file_id), 0) from {{ pool_recon.landed('files') }})
        from rows
        cross join present
    {%- endset -%}
    {%- set found = run_query(statement).rows[0] -%}
    {{ return({'kept': found[0], 'all': found[1], 'last_file_id': found[2]}) }}
{%- endmacro %}

{#- How many rows every table has that is kept, so that a row that went missing between two builds is noticed; empty where
    a table is missing. -#}
{% macro kept_row_counts() -%}
    {%- set counts = [] -%}
    {%- for name, node in pool_recon.kept_models() | dictsort -%}
        {%- set relation = adapter.get_relation(node.database, node.schema, node.alias) -%}
        {%- if relation is none or not relation.is_table -%}
            {{ return('') }}
        {%- endif -%}
        {%- do counts.append("(select '" ~ name ~ "=' || count(*) from " ~ relation ~ ')') -%}
    {%- endfor -%}
    {{ return(run_query('select concat_ws(chr(44), ' ~ counts | join(', ') ~ ')').rows[0][0]) }}
{%- endmacro %}
