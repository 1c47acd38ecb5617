{#-
    Tables of Spark are made in dbt's own way, but for those whose rows are kept (meta `kept_by`). A table of Parquet files
    has no rows that can be deleted, only partitions that can be overwritten: its rows are in one for each month, by the
    moment that meta `month_of` names, and an incremental build writes those months anew that lose rows. Without such a
    moment all rows are in one partition; that is for tables with few rows or columns. Delta and Iceberg merge by themselves.
    dbt does not ask a package for this in a project that installs it.
-#}
{% materialization table, adapter='spark', supported_languages=['sql'] %}
    {%- set kept_by = (config.get('meta') or {}).get('kept_by') -%}
    {%- set build = pool_recon.this_build() -%}
    {%- if kept_by is none or not build.is_whole -%}
        {{ return(dbt.materialization_table_spark()) }}
    {%- elif build.is_incremental -%}
        {{ return(pool_recon.keep_rows_in_partitions(kept_by)) }}
    {%- elif kept_by == 'file' or pool_recon.spark_format() != 'parquet' -%}
        {{ return(dbt.materialization_table_spark()) }}
    {%- endif -%}
    {{ return(pool_recon.fill_partitions()) }}
{% endmaterialization %}


{#- The format of the tables: parquet, delta or iceberg. -#}
{% macro spark_format() -%}
    {{ return(env_var('POOL_RECON_SPARK_FORMAT', 'parquet')) }}
{%- endmacro %}

{#-
    The partition that a row of the model belongs in.

    Arguments:
        rows: the alias of the rows.
-#}
{% macro partition_of(rows) -%}
    {%- set month_of = (config.get('meta') or {}).get('month_of') -%}
    {{ return("coalesce(date_format(" ~ rows ~ "." ~ month_of ~ ", 'yyyy-MM'), 'none')" if month_of else "'all'") }}
{%- endmacro %}


{#- Make the table of a kept model anew, in partitions. -#}
{% macro fill_partitions() %}
    {%- set existing = adapter.get_relation(this.database, this.schema, this.identifier) -%}
    {{ run_hooks(pre_hooks) }}
    {%- if existing is not none -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {% call statement('main') -%}
        {%- if (config.get('contract') or {}).enforced -%}
        {{ get_assert_columns_equivalent(compiled_code) }}
        {%- endif -%}
        create table {{ this }} using parquet options (partitionOverwriteMode 'dynamic') partitioned by (_kept_in) as
        select /*+ rebalance(_kept_in) */
            filled.*,
            {{ pool_recon.partition_of('filled') }} as _kept_in
        from (
            {{ pool_recon.declared_columns(compiled_code) }}
            {#- what a model ends with may be a comment #}
        ) as filled
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmacro %}

{#- A query with the columns of the contract, in its order, where the model has one. -#}
{% macro declared_columns(query) -%}
    {{ return(get_select_subquery(query) if (config.get('contract') or {}).enforced else query) }}
{%- endmacro %}


{#-
    What an incremental build looked at goes into a small table beside the kept one, which later models read. The rows that
    it takes the place of go where partitions are overwritten: of each of these, the rows that stay and those that come.

    Arguments:
        kept_by: as in keep_in_place.
-#}
{% macro keep_rows_in_partitions(kept_by) %}
    {%- set columns = model.columns.keys() | join(', ') -%}
    {{ run_hooks(pre_hooks) }}
    {%- if kept_by == 'file' -%}
        {% call statement('main') -%}
        insert into {{ this }} ({{ columns }}) select {{ columns }} from (
            {{ compiled_code }}
            {#- what a model ends with may be a comment #}
        ) as added
        {%- endcall %}
    {%- else -%}
        {%- set beside = pool_recon.relation_at_hand(this.identifier) -%}
        {%- do run_query('drop table if exists ' ~ beside) -%}
        {% call statement('main') -%}
        create table {{ beside }} using parquet as
        {{ pool_recon.declared_columns(compiled_code) }}
        {%- endcall %}
        {%- for replacing in pool_recon.replacing_statements(beside, kept_by, columns) -%}
            {%- do run_query(replacing) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmacro %}


{#-
    The statements that put rows in place of those of a kept table.

    Arguments:
        beside: the table with the new rows.
        kept_by: as in keep_in_place, but for `file`.
        columns: the columns of the model, with commas between them.
-#}
{% macro replacing_statements(beside, kept_by, columns) -%}
    {%- set gone = pool_recon.rows_gone(kept_by) -%}
    {%- if pool_recon.spark_format() != 'parquet' -%}
        {{ return([
            'merge into ' ~ this ~ ' as kept using (' ~ gone.query ~ ') as gone on ' ~ gone.condition ~ ' when matched then delete',
            'insert into ' ~ this ~ ' (' ~ columns ~ ') select ' ~ columns ~ ' from ' ~ beside,
        ]) }}
    {%- endif -%}
    {%- set partitions -%}
        select
            moves.kept_in,
            max(moves.goes) as goes,
            max(moves.stays) as stays,
            max(moves.comes) as comes
        from (
            select
                kept._kept_in as kept_in,
                case when gone.is_gone then 1 else 0 end as goes,
                case when gone.is_gone then 0 else 1 end as stays,
                0 as comes
            from {{ this }} as kept
            left join (select true as is_gone, * from ({{ gone.query }})) as gone on {{ gone.condition }}
            union all
            select {{ pool_recon.partition_of('coming') }}, 0, 0, 1 from {{ beside }} as coming
        ) as moves
        group by moves.kept_in
    {%- endset -%}
    {%- set overwritten = [] -%}
    {%- set added_to = [] -%}
    {%- set statements = [] -%}
    {%- for row in run_query(partitions).rows -%}
        {%- set name = "'" ~ row['kept_in'] ~ "'" -%}
        {%- if row['goes'] and (row['stays'] or row['comes']) -%}
            {%- do overwritten.append(name) -%}
        {%- elif row['goes'] -%}
            {#- nothing would be written in its place -#}
            {%- do statements.append('alter table ' ~ this ~ ' drop partition (_kept_in = ' ~ name ~ ')') -%}
        {%- elif row['comes'] -%}
            {%- do added_to.append(name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set coming -%}
        select {{ columns }}, {{ pool_recon.partition_of('coming') }} as _kept_in from {{ beside }} as coming
    {%- endset -%}
    {%- set into = this ~ ' (' ~ columns ~ ', _kept_in) select /*+ rebalance(_kept_in) */ ' ~ columns ~ ', _kept_in from' -%}
    {%- if overwritten -%}
        {%- set staying = 'select kept.* from ' ~ this ~ ' as kept left anti join (' ~ gone.query ~ ') as gone on ' ~ gone.condition -%}
        {%- do statements.append(
            'insert overwrite table ' ~ into ~ ' (select ' ~ columns ~ ', _kept_in from (' ~ staying ~ ') as staying union all ' ~ coming
            ~ ') as moved where _kept_in in (' ~ overwritten | join(', ') ~ ')'
        ) -%}
    {%- endif -%}
    {%- if added_to -%}
        {%- do statements.append('insert into ' ~ into ~ ' (' ~ coming ~ ') as added where _kept_in in (' ~ added_to | join(', ') ~ ')') -%}
    {%- endif -%}
    {{ return(statements) }}
{%- endmacro %}


{#-
    What an incremental build replaces, for a join with the rows that are kept, `kept`: `query`, whose rows are distinct, and
    `condition`, by which it is joined as `gone`.

    Arguments:
        kept_by: as in keep_in_place, but for `file`.
-#}
{% macro rows_gone(kept_by) -%}
    {%- if kept_by == 'balance' -%}
        {{ return({
            'query': 'select environment, partner_id, asset, restart_at from ' ~ pool_recon.relation_at_hand('restarts'),
            'condition': pool_recon.of_balance('gone', 'kept') ~ ' and kept.effective_at >= gone.restart_at',
        }) }}
    {%- elif kept_by.row -%}
        {{ return({
            'query': 'select distinct row_order from ' ~ pool_recon.relation_at_hand('rows'),
            'condition': 'kept.' ~ kept_by.row ~ ' = gone.row_order',
        }) }}
    {%- elif kept_by.kind -%}
        {{ return({
            'query': 'select distinct id from ' ~ pool_recon.relation_at_hand('ids') ~ " where kind = '" ~ kept_by.kind ~ "'",
            'condition': 'kept.' ~ kept_by.id ~ ' = gone.id',
        }) }}
    {%- endif -%}
    {{ return({
        'query': 'select distinct kind, id from ' ~ pool_recon.relation_at_hand('ids'),
        'condition': 'kept.' ~ kept_by.kind_column ~ ' = gone.kind and kept.' ~ kept_by.id ~ ' = gone.id',
    }) }}
{%- endmacro %}
