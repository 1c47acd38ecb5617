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
