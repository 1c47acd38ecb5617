{#-
    What this build does: `number`, `is_incremental`, and in an incremental build `last_file_id` (files up to it were
    staged before), and `last_cut_off_at`, that of the build it goes on from. A full build unless the start of the run
    decided otherwise.
-#}
{% macro this_build() -%}
    {{ return((graph.get('pool_recon_build') if execute and model.resource_type != 'unit_test' else none) or {'number': 1, 'is_incremental': false}) }}
{%- endmacro %}


{#- Decide, at the start of a run, whether the rows of the last build are kept. -#}
{% macro begin_build() -%}
    {%- if execute and flags.WHICH in ['build', 'run'] and pool_recon.keeps_rows() -%}
    {%- set state = pool_recon.build_state() -%}
    {%- set last_state = pool_recon.of_last_build(state) -%}
    {%- set known = adapter.get_relation(last_state.database, last_state.schema, last_state.identifier) -%}
    {%- set last = run_query('select * from ' ~ last_state).rows | first | default(none) if known is not none else none -%}
    {%- if last is none and pool_recon.is_whole_build() and not pool_recon.own_sources() -%}
        {%- do pool_recon.refuse_nothing_landed() -%}
    {%- endif -%}
    {#- rows of tables that another tool fills have no order of landing: nothing is noted of them; nor of so few rows that
        all of them cost less -#}
    {%- set fingerprint = pool_recon.project_fingerprint() -%}
    {%- set is_as_last = last is not none and last.is_complete and last.fingerprint == fingerprint -%}
    {%- set build = {'number': 1, 'is_incremental': false, 'fingerprint': fingerprint, 'is_whole': pool_recon.is_whole_build() and not pool_recon.own_sources() and pool_recon.keeping_pays()} -%}
    {%- set exports = pool_recon.exports_digests(last, is_as_last and pool_recon.landed_rows_are_untouched()) if build.is_whole else none -%}
    {%- do build.update({'exports': exports}) -%}
    {%- if is_as_last and build.is_whole and not flags.FULL_REFRESH
        and run_query('select ' ~ pool_recon.cut_off_at() ~ " >= cast('" ~ last.cut_off_at ~ "' as timestamp)").rows[0][0]
        and last.exports == exports.kept
        and last.row_counts == pool_recon.kept_row_counts(of_last_build=true) -%}
        {%- do build.update({
            'number': last.build_number + 1,
            'is_incremental': true,
            'last_file_id': last.last_file_id,
            'last_cut_off_at': modules.datetime.datetime.fromisoformat(last.cut_off_at | string),
        }) -%}
    {%- endif -%}
    {%- do pool_recon.join_as_written(build.is_incremental) -%}
    {%- do pool_recon.leave_dead_rows(build.is_incremental, last.row_counts if last is not none else '') -%}
    {%- if build.is_incremental -%}
        {%- do pool_recon.bring_last_build() -%}
        {%- do pool_recon.open_room_at_hand() -%}
    {%- endif -%}
    {%- do graph.update({'pool_recon_build': build}) -%}
    {#- a build that is not finished leaves nothing to go on from -#}
    {%- do pool_recon.note_build(state, none) -%}
    {#- dbt itself commits nothing at the start and the end of a run -#}
    {%- do adapter.commit() -%}
    {%- endif -%}
{%- endmacro %}


{#- Write down, at the end of a run, what the next one may go on from. -#}
{% macro end_build(results) -%}
    {%- if execute and flags.WHICH in ['build', 'run'] and pool_recon.keeps_rows() -%}
    {%- set build = pool_recon.this_build() -%}
    {%- set failed = results | selectattr('node.resource_type', 'in', ['model', 'seed']) | rejectattr('status', 'equalto', 'success') | list -%}
    {%- if build.is_whole and not failed -%}
        {%- set noted -%}
        {{ build.number }},
        '{{ build.fingerprint }}',
        '{{ build.exports.all }}',
        '{{ pool_recon.kept_row_counts() }}',
        {{ pool_recon.cut_off_at() }},
        {{ build.exports.last_file_id }},
        true
        {%- endset -%}
        {%- do pool_recon.note_build(pool_recon.build_state(), noted) -%}
    {%- endif -%}
    {%- do pool_recon.drop_tables_at_hand() -%}
    {%- do adapter.commit() -%}
    {#- what runs next in this process is another run -#}
    {%- do graph.update({'pool_recon_build': none}) -%}
    {%- endif -%}
{%- endmacro %}


{#- Where a build notes what it was made of, for the next one to compare; among the intermediate models, wherever those are. -#}
{% macro build_state() -%}
    {%- set beside = graph.nodes['model.pool_recon.int_rows_at_hand'] -%}
    {{ return(api.Relation.create(database=beside.database, schema=beside.schema, identifier='build_state')) }}
{%- endmacro %}

{#- Whether the run builds every model and seed, and all of their rows, and keeps what is to be kept. -#}
{% macro is_whole_build() -%}
    {%- set left_out = pool_recon.kept_models().values() | rejectattr('config.materialized', 'equalto', 'table') | map(attribute='name') | list -%}
    {{ return(not left_out and not pool_recon.models_left_out() and not flags.EMPTY) }}
{%- endmacro %}

{#-
    A digest of all that decides what rows become, besides the rows and the date: models and seeds with their columns and
    types, macros, the vars and environment variables that these name, and the versions of dbt and the engine. Macros of all
    packages count, because they may take the place of ours; so do those of dbt and its adapter, which has no version here. Of
    a seed of more than 1 MiB dbt digests only the path: it never counts as unchanged.
-#}
{% macro project_fingerprint() -%}
    {%- set parts = [dbt_version, run_query('select version()').rows[0][0], pool_recon.business_time_zone()] -%}
    {%- set texts = [] -%}
    {%- for id, node in graph.nodes | dictsort if node.package_name == 'pool_recon' and node.resource_type in ['model', 'seed'] -%}
        {%- do parts.append(id ~ '=' ~ (node.checksum.checksum if node.checksum.name != 'path' else invocation_id) ~ ' ' ~ node.config.materialized ~ ' ' ~ node.config.meta.kept_by ~ ' ' ~ node.config.meta.month_of ~ ' ' ~ node.config.file_format ~ ' ' ~ (node.config.contract or {}).enforced ~ ' ' ~ node.config.column_types) -%}
        {%- do texts.append(node.raw_code) -%}
        {%- do parts.append(node.columns | join(' ') ~ ' ' ~ node.columns.values() | map(attribute='data_type') | join(' ')) -%}
    {%- endfor -%}
    {%- for package, macros in context | dictsort if macros is mapping -%}
        {#- a macro's text has its name -#}
        {%- set of_package = macros | dictsort | selectattr('1.macro', 'defined') | map(attribute='1.macro.macro_sql') | join('\n') -%}
        {%- do parts.append(package ~ '=' ~ of_package) -%}
        {%- if package != 'dbt' -%}
            {%- do texts.append(of_package) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set texts = texts | join('\n') -%}
    {#- limits are also asked for by what a macro is given as their name; a name too many, as of an environment variable, has
        no value among the vars and does no harm -#}
    {%- for name in (pool_recon.limits() + modules.re.findall("var\\(\\s*['\"](\\w+)", texts)) | unique | sort if name != 'close_date' -%}
        {%- do parts.append(name ~ '=' ~ var(name, none)) -%}
    {%- endfor -%}
    {#- our own ones say where and how to build, and what to close; secrets are for profiles only, and dbt refuses to tell them -#}
    {%- for name in modules.re.findall("env_var\\(\\s*['\"](\\w+)", texts) | unique | sort if not name.startswith(('POOL_RECON_', 'DBT_ENV_SECRET')) -%}
        {%- do parts.append('environment ' ~ name ~ '=' ~ env_var(name, '')) -%}
    {%- endfor -%}
    {{ return(local_md5(parts | join('\n'))) }}
{%- endmacro %}

{#-
    What has landed, in figures: `kept` of the rows of the files that the last build knew, `all` of those of all files, up to
    `last_file_id`. Both have what the presence of an export or of a column decides for all rows. Every value counts, so that a
    landed row that was changed by hand is noticed. Where it is known that none was, the figures of the last build hold for
    `kept`, and only the rows of later files are read.

    Arguments:
        last: what the last build noted; none where there is none.
        is_untouched: whether nothing but later files came to what had landed by then, and figures are made as they were.
-#}
{% macro exports_digests(last, is_untouched) -%}
    {%- set last_file_id = last.last_file_id if last is not none else 0 -%}
    {%- set known = {} -%}
    {%- if is_untouched -%}
        {%- for noted in last.exports.split(';') if '=' in noted -%}
            {%- do known.update({noted.split('=')[0]: noted.split('=')[1] | int}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set statement -%}
        {%- for name in ['files', 'file_columns'] + pool_recon.export_names() %}
        {%- set file_id = '_file_id' if name in pool_recon.export_names() else 'file_id' %}
        {%- set digest = pool_recon.row_digest('landed_rows') %}
        select
            '{{ name }}' as counted,
            cast(coalesce(sum(case when {{ file_id }} <= {{ last_file_id }} then {{ digest }} end), 0) as {{ dbt.type_string() }}) as kept,
            cast(coalesce(sum(case when {{ file_id }} > {{ last_file_id }} then {{ digest }} end), 0) as {{ dbt.type_string() }}) as added
        from {{ pool_recon.landed(name) }} as landed_rows
        {% if name in known %}where {{ file_id }} > {{ last_file_id }}{% endif %}
        union all
        {%- endfor %}
        select distinct
            files.export_name as counted,
            cast(null as {{ dbt.type_string() }}) as kept,
            cast(null as {{ dbt.type_string() }}) as added
        from {{ pool_recon.landed('files') }} as files
        union all
        select distinct
            file_columns.contract_column as counted,
            cast(null as {{ dbt.type_string() }}) as kept,
            cast(null as {{ dbt.type_string() }}) as added
        from {{ pool_recon.landed('files') }} as files
        inner join {{ pool_recon.landed('file_columns') }} as file_columns on files.file_id = file_columns.file_id
        where
            files.export_name = 'quotes'
            and file_columns.contract_column = 'dest_address'
    {%- endset -%}
    {%- set kept = [] -%}
    {%- set landed = [] -%}
    {%- for row in run_query(statement).rows -%}
        {%- if row['kept'] is none -%}
            {%- do kept.append(row['counted']) -%}
            {%- do landed.append(row['counted']) -%}
        {%- else -%}
            {%- set kept_sum = known.get(row['counted'], row['kept'] | int) -%}
            {%- do kept.append(row['counted'] ~ '=' ~ kept_sum) -%}
            {%- do landed.append(row['counted'] ~ '=' ~ (kept_sum + row['added'] | int)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return({
        'kept': kept | sort | join(';'),
        'all': landed | sort | join(';'),
        'last_file_id': run_query('select coalesce(max(file_id), 0) from ' ~ pool_recon.landed('files')).rows[0][0],
    }) }}
{%- endmacro %}

{#- Whether nothing but later files came to what had landed when the last build ended. A close of a warehouse that nobody wrote to
    since says so; without one, nobody knows. -#}
{% macro landed_rows_are_untouched() -%}
    {{ return(env_var('POOL_RECON_LANDED_ROWS', '') == 'untouched') }}
{%- endmacro %}

{#-
    How many rows every table has that is kept, and a digest of what they say of those that hold findings, so that a row that
    went missing or a finding that was changed between two builds is noticed; empty where a table is missing.

    Arguments:
        of_last_build: whether those of the last build are meant, where this one is made elsewhere.
-#}
{% macro kept_row_counts(of_last_build=false) -%}
    {%- set counts = [] -%}
    {%- for name, node in pool_recon.kept_models() | dictsort -%}
        {%- set kept = api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias) -%}
        {%- set kept = pool_recon.of_last_build(kept) if of_last_build else kept -%}
        {%- set relation = adapter.get_relation(kept.database, kept.schema, kept.identifier) -%}
        {%- if relation is none or not relation.is_table -%}
            {{ return('') }}
        {%- endif -%}
        {%- set digest = 'cast(sum(' ~ pool_recon.row_digest('kept_rows') ~ ') as ' ~ dbt.type_string() ~ ')' if 'findings' in node.fqn else 'cast(null as ' ~ dbt.type_string() ~ ')' -%}
        {%- do counts.append("select '" ~ name ~ "' as name, count(*) as row_count, " ~ digest ~ ' as digest from ' ~ relation ~ ' as kept_rows') -%}
    {%- endfor -%}
    {%- set found = [] -%}
    {%- for row in run_query(counts | join(' union all ')).rows -%}
        {%- do found.append(row['name'] ~ '=' ~ row['row_count'] ~ ('/' ~ row['digest'] if row['digest'] is not none)) -%}
    {%- endfor -%}
    {{ return(found | sort | join(',')) }}
{%- endmacro %}


{#-
    Where the last build has a relation of this one.

    A close in PostgreSQL is built in schemas of its own, beside those of the last one, which readers see until then.
-#}
{% macro of_last_build(relation) -%}
    {%- set prefix = env_var('POOL_RECON_SCHEMA_PREFIX', '') -%}
    {%- if not prefix or adapter.get_relation(relation.database, relation.schema, relation.identifier) is not none -%}
        {{ return(relation) }}
    {%- endif -%}
    {{ return(relation.incorporate(path={'schema': relation.schema[prefix | length:]})) }}
{%- endmacro %}

{#- Copy what is kept of the last build to where this one is made, if that is elsewhere. -#}
{% macro bring_last_build() -%}
    {%- for name, node in pool_recon.kept_models() | dictsort -%}
        {%- set kept = api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias, type='table') -%}
        {%- set last = pool_recon.of_last_build(kept) -%}
        {%- if last.schema != kept.schema -%}
            {%- do run_query('create table ' ~ kept ~ ' as select * from ' ~ last) -%}
            {%- do adapter.cache_added(kept) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
