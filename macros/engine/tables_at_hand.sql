{#-
    Where an incremental build makes a table for itself, as a relation without a name.

    Arguments:
        name: of the table, as of relation_at_hand.
-#}
{% macro room_at_hand(name) -%}
    {{ return(adapter.dispatch('room_at_hand', 'pool_recon')(name)) }}
{%- endmacro %}

{% macro default__room_at_hand(name) -%}
    {%- set beside = graph.nodes['model.pool_recon.int_rows_at_hand'] if execute else model -%}
    {{ return(api.Relation.create(database=beside.database, schema=beside.schema)) }}
{%- endmacro %}

{#- In memory, which spills, instead of in the file, where to compress what is soon dropped takes longest. What is made in the
    transaction that fills a model cannot be there: a transaction of DuckDB writes to one database. -#}
{% macro duckdb__room_at_hand(name) -%}
    {%- set beside = pool_recon.default__room_at_hand(name) -%}
    {%- if name == 'restarts' -%}
        {{ return(beside) }}
    {%- endif -%}
    {{ return(api.Relation.create(database=beside.database ~ '_at_hand', schema='main')) }}
{%- endmacro %}


{#- Make that room, before the first of these tables. -#}
{% macro open_room_at_hand() -%}
    {{ return(adapter.dispatch('open_room_at_hand', 'pool_recon')()) }}
{%- endmacro %}

{% macro default__open_room_at_hand() -%}
{%- endmacro %}

{% macro duckdb__open_room_at_hand() -%}
    {%- do run_query("attach if not exists ':memory:' as " ~ adapter.quote(pool_recon.room_at_hand('rows').database)) -%}
{%- endmacro %}


{#-
    Run statements that make these tables, or add rows to them; each knows how many rows there are in those before it.

    Arguments:
        fillings: (name of the table or none, statement without a semicolon at its end).
-#}
{% macro fill_tables_at_hand(fillings) -%}
    {{ return(adapter.dispatch('fill_tables_at_hand', 'pool_recon')(fillings)) }}
{%- endmacro %}

{% macro default__fill_tables_at_hand(fillings) -%}
    {%- for name, statement in fillings -%}
        {%- do run_query(statement) -%}
        {%- set settle = pool_recon.settled(pool_recon.relation_at_hand(name)) if name else '' -%}
        {%- if settle | trim -%}
            {%- do run_query(settle) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- All at once: to send them one by one is most of what they cost where there are few rows. -#}
{% macro duckdb__fill_tables_at_hand(fillings) -%}
    {%- do run_query(fillings | map(attribute=1) | join(';\n')) -%}
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

{% macro duckdb__drop_tables_at_hand() -%}
    {%- do run_query('drop table if exists ' ~ pool_recon.relation_at_hand('restarts')) -%}
    {%- do run_query('detach database if exists ' ~ adapter.quote(pool_recon.room_at_hand('rows').database)) -%}
{%- endmacro %}
