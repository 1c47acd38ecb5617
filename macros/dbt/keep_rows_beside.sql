{#-
    Tables of PostgreSQL are made in dbt's own way, beside the old one, which readers may have open. Rows of a table that is
    kept (meta `kept_by`) are deleted and inserted in one transaction where the build is incremental. dbt does not ask a
    package for this in a project that installs it.
-#}
{% materialization table, adapter='postgres', supported_languages=['sql'] %}
    {%- set kept_by = (config.get('meta') or {}).get('kept_by') -%}
    {%- if kept_by is none or not pool_recon.this_build().is_incremental -%}
        {{ return(dbt.materialization_table_default()) }}
    {%- endif -%}
    {{ return(pool_recon.keep_rows_beside(kept_by)) }}
{% endmaterialization %}


{#-
    What an incremental build looked at goes into a small table beside the kept one, which later models read, and from there
    takes the place of what was kept.

    Arguments:
        kept_by: as in keep_in_place.
-#}
{% macro keep_rows_beside(kept_by) %}
    {%- set beside = pool_recon.relation_at_hand(this.identifier) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('beside') -%}
        {%- if kept_by != 'file' %}
        -- what is followed on from is what stays
        delete from {{ this }} where {{ pool_recon.is_replaced(kept_by) }};
        {%- endif %}
        drop table if exists {{ beside }};
        {{ create_table_as(False, beside, compiled_code) }}
    {%- endcall %}
    {%- set columns = adapter.get_columns_in_relation(this) | map(attribute='quoted') | join(', ') -%}
    {% call statement('main') -%}
        {{ pool_recon.settled(beside) }};
        insert into {{ this }} ({{ columns }}) select {{ columns }} from {{ beside }}
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmacro %}


{#- The names of the tables that an incremental build has beside kept ones. -#}
{% macro tables_beside_kept() -%}
    {%- set names = [] -%}
    {%- for node in pool_recon.kept_models().values() -%}
        {%- do names.append(node.alias) -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}
