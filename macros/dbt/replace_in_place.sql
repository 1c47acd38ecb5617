{#-
    Tables and views of DuckDB are replaced in place, in one transaction. dbt's own way, to build beside the old relation,
    rename both and drop one, costs more than the statement itself on all but large tables, and nobody reads meanwhile: a
    DuckDB file that is written to is open to one process. In a project that installs this one, dbt keeps to its own way.
-#}
{% materialization table, adapter='duckdb', supported_languages=['sql'] %}
    {{ return(pool_recon.replace_in_place('table', create_table_as(False, this.incorporate(type='table'), compiled_code))) }}
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
    {%- set target_relation = this.incorporate(type=relation_type) -%}
    {%- set hooks_afterwards = pool_recon.hooks_with_effect(post_hooks) -%}
    {%- if pre_hooks %}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- endif %}
    {% call statement('main') -%}
        {% if existing_relation is not none -%}
        drop {{ existing_relation.type }} if exists {{ existing_relation }};
        {%- endif %}
        {{ create_statement }}
    {%- endcall %}
    {%- if hooks_afterwards %}
    {{ run_hooks(hooks_afterwards, inside_transaction=True) }}
    {%- endif %}
    {{ adapter.commit() }}
    {%- if hooks_afterwards %}
    {{ run_hooks(hooks_afterwards, inside_transaction=False) }}
    {%- endif %}
    {{ return({'relations': [target_relation]}) }}
{% endmacro %}


{#- The hooks of a model or seed without `settled`, which is nothing on DuckDB: to render it for each of them only to find
    that out costs more than to create most views. -#}
{% macro hooks_with_effect(hooks) %}
    {{ return(hooks | rejectattr('sql', 'equalto', '{{ pool_recon.settled(this) }}') | list) }}
{% endmacro %}
