{#-
    Write down what the next build may go on from.

    Arguments:
        state: the table for that, which is created where it is missing.
        noted: values for its columns, as SQL; none where there is nothing to go on from.
-#}
{% macro note_build(state, noted) -%}
    {{ return(adapter.dispatch('note_build', 'pool_recon')(state, noted)) }}
{%- endmacro %}

{% macro default__note_build(state, noted) -%}
    {%- call statement('note_build', auto_begin=True) -%}
    {%- if noted is none -%}
    create table if not exists {{ state }} (
        {{- pool_recon.columns_of_build('varchar') }}
    );
    update {{ state }} set is_complete = false
    {%- else -%}
    delete from {{ state }};
    insert into {{ state }} values ({{ noted }})
    {%- endif -%}
    {%- endcall -%}
{%- endmacro %}

{#- Nothing is updated in a table of Parquet files, and one statement is run at a time. -#}
{% macro spark__note_build(state, noted) -%}
    {%- if noted is none -%}
        {%- do run_query('drop table if exists ' ~ state) -%}
        {%- do run_query('create table ' ~ state ~ ' (' ~ pool_recon.columns_of_build('string') ~ ') using ' ~ pool_recon.spark_format()) -%}
    {%- else -%}
        {%- do run_query('insert into ' ~ state ~ ' values (' ~ noted ~ ')') -%}
    {%- endif -%}
{%- endmacro %}

{#-
    The columns of the table with what the last build was.

    Arguments:
        text: the type of a text.
-#}
{% macro columns_of_build(text) -%}
    build_number integer, fingerprint {{ text }}, exports {{ text }}, row_counts {{ text }}, cut_off_at timestamp, last_file_id integer, is_complete boolean
{%- endmacro %}


{#- Drop what an incremental build made for itself. -#}
{% macro drop_tables_at_hand() -%}
    {{ return(adapter.dispatch('drop_tables_at_hand', 'pool_recon')()) }}
{%- endmacro %}

{% macro default__drop_tables_at_hand() -%}
    {%- call statement('drop_tables_at_hand', auto_begin=True) -%}
    {%- for name in ['rows', 'ids', 'kept_entries', 'restarts'] + pool_recon.required_export_names() + pool_recon.tables_beside_kept() %}
    drop table if exists {{ pool_recon.relation_at_hand(name) }};
    {%- endfor -%}
    {%- endcall -%}
{%- endmacro %}

{#- Only those that are there: every statement is planned. -#}
{% macro spark__drop_tables_at_hand() -%}
    {%- set prefix = pool_recon.relation_at_hand('') -%}
    {%- for row in run_query('show tables in ' ~ prefix.schema).rows if row['tableName'].startswith(prefix.identifier) -%}
        {%- do run_query('drop table if exists ' ~ prefix.incorporate(path={'identifier': row['tableName']})) -%}
    {%- endfor -%}
{%- endmacro %}
