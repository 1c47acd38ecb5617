{#-
    Tables and views of DuckDB are replaced in place, in one transaction. dbt's own way, to build beside the old relation,
    rename both and drop one, costs more than the statement itself on all but large tables, and nobody reads meanwhile: a
    DuckDB file that is written to is open to one process. In a project that installs this one, dbt keeps to its own way.

    A table whose rows are kept (meta `kept_by`) is only replaced in a full build. In an incremental one, the rows of what is
    at hand are deleted and inserted anew, and those of new files are added.
-#}
{% materialization table, adapter='duckdb', supported_languages=['sql'] %}
    {%- set kept_by = (config.get('meta') or {}).get('kept_by') -%}
    {%- if kept_by is none -%}
        {{ return(pool_recon.replace_in_place('table', create_table_as(False, this.incorporate(type='table'), compiled_code))) }}
    {%- endif -%}
    {{ return(pool_recon.keep_in_place(kept_by)) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
    {{ return(pool_recon.replace_in_place('view', get_create_view_as_sql(this.incorporate(type='view'), sql))) }}
{% endmaterialization %}


{#-
    Run a statement that creates the relation of the model, after what has its name now is gone.

    Arguments:
        relation_type: table or view.
        create_statement: creates it, and fills it.
-#}
{% macro replace_in_place(relation_type, create_statement) %}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set statements -%}
        {%- if existing_relation is not none -%}
        drop {{ existing_relation.type }} if exists {{ existing_relation }};
        {%- endif %}
        {{ create_statement }}
    {%- endset -%}
    {{ return(pool_recon.run_in_place(relation_type, statements)) }}
{% endmacro %}


{#-
    Fill a table whose rows are kept: anew, or where the build is incremental by what it looked at.

    Arguments:
        kept_by: `file` where rows are only ever added; {row: column} or {kind: kind of id, id: column} where they are
            replaced by the row or by the id that they are about, and the kind may be a column too, as kind_column; `balance`
            where those of a balance are replaced from a moment on.
-#}
{% macro keep_in_place(kept_by) %}
    {%- set build = pool_recon.this_build() -%}
    {%- if kept_by == 'file' and build.is_incremental -%}
        {{ return(pool_recon.run_in_place('table', 'insert into ' ~ this ~ ' by name ' ~ compiled_code)) }}
    {%- elif kept_by == 'file' -%}
        {{ return(pool_recon.replace_in_place('table', create_table_as(False, this.incorporate(type='table'), compiled_code))) }}
    {%- endif -%}
    {%- if not build.is_incremental -%}
        {%- set filled = create_table_as(False, this.incorporate(type='table'), compiled_code) -%}
        {{ return(pool_recon.replace_in_place('table', filled ~ '; alter table ' ~ this ~ ' add column _build_number integer default ' ~ build.number)) }}
    {%- endif -%}
    {%- set statements -%}
        delete from {{ this }} where {{ pool_recon.is_replaced(kept_by) }};
        insert into {{ this }} by name
        select
            looked_at.*,
            cast({{ build.number }} as integer) as _build_number
        from (
            {{ compiled_code }}
            {#- what a model ends with may be a comment #}
        ) as looked_at
    {%- endset -%}
    {{ return(pool_recon.run_in_place('table', statements)) }}
{% endmacro %}


{#- True for the kept rows that an incremental build replaces: those of what it looked at. -#}
{% macro is_replaced(kept_by) -%}
    {%- if kept_by == 'balance' -%}
        true {{ pool_recon.since_restart(this.identifier) }}
    {%- elif kept_by.row -%}
        {{ kept_by.row }} in (select row_order from {{ pool_recon.relation_at_hand('rows') }})
    {%- elif kept_by.kind -%}
        {{ kept_by.id }} in (select id from {{ pool_recon.relation_at_hand('ids') }} where kind = '{{ kept_by.kind }}')
    {%- else -%}
        ({{ kept_by.kind_column }}, {{ kept_by.id }}) in (select kind, id from {{ pool_recon.relation_at_hand('ids') }})
    {%- endif -%}
{%- endmacro %}


{#-
    Run the statements of a model or seed in one transaction. Where no hook or comment takes part in it, the text begins and
    ends it: dbt's own two statements, which it sends, logs and waits for one by one, are a part of a small build that can be
    felt.

    Arguments:
        relation_type: what they create, table or view.
        statements: they end without a semicolon or with one.
-#}
{% macro run_in_place(relation_type, statements) %}
    {%- set hooks_afterwards = pool_recon.hooks_with_effect(post_hooks) -%}
    {%- set filled = this.incorporate(type=relation_type) -%}
    {%- if not pre_hooks and not hooks_afterwards and not config.persist_relation_docs() and not config.persist_column_docs() %}
    {% call statement('main', auto_begin=False) -%}
        begin transaction;
        {#- what a model ends with may be a comment #}
        {{ statements }}
        ;
        commit
    {%- endcall %}
    {%- else %}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        {{ statements }}
    {%- endcall %}
    {% do persist_docs(filled, model) %}
    {{ run_hooks(hooks_afterwards, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(hooks_afterwards, inside_transaction=False) }}
    {%- endif %}
    {{ return({'relations': [filled]}) }}
{% endmacro %}


{#- The hooks of a model or seed without `settled`, which is nothing on DuckDB: to render it for each of them only to find
    that out costs more than to create most views. -#}
{% macro hooks_with_effect(hooks) %}
    {{ return(hooks | rejectattr('sql', 'equalto', '{{ pool_recon.settled(this) }}') | list) }}
{% endmacro %}
