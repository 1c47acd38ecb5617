{#- Whether the tables of the engine keep rows from build to build. Where they do not, every build is a full one. -#}
{% macro keeps_rows() -%}
    {{ return(adapter.dispatch('keeps_rows', 'pool_recon')()) }}
{%- endmacro %}

{% macro default__keeps_rows() -%}
    {{ return(false) }}
{%- endmacro %}

{#- An installing project fills tables in dbt's own way, which replaces them. -#}
{% macro duckdb__keeps_rows() -%}
    {{ return(project_name == 'pool_recon') }}
{%- endmacro %}

{#- Not where an adapter inherits from that of PostgreSQL. -#}
{% macro postgres__keeps_rows() -%}
    {{ return(project_name == 'pool_recon' and adapter.type() == 'postgres') }}
{%- endmacro %}


{#-
    What this build looked at of a kept model, as an item of a `from` clause; all of its rows in a full build.

    Arguments:
        relation: the table of the model.
        columns: the names of its columns.
-#}
{% macro kept_rows_at_hand(relation, columns) -%}
    {{ return(adapter.dispatch('kept_rows_at_hand', 'pool_recon')(relation, columns)) }}
{%- endmacro %}

{#- They were computed into a table of their own before they took the place of what was kept. -#}
{% macro default__kept_rows_at_hand(relation, columns) -%}
    {{ return(pool_recon.relation_at_hand(relation.identifier) if pool_recon.this_build().is_incremental else relation) }}
{%- endmacro %}

{#- Each row knows the build that wrote it, by which a table of columns is searched as fast as a small one. -#}
{% macro duckdb__kept_rows_at_hand(relation, columns) -%}
    {%- set build = pool_recon.this_build() -%}
    {{ return('(select ' ~ columns | join(', ') ~ ' from ' ~ relation ~ (' where _build_number = ' ~ build.number if build.is_incremental else '') ~ ')') }}
{%- endmacro %}
