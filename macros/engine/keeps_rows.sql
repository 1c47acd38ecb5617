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

{#- Nor where one inherits from that of Spark. -#}
{% macro spark__keeps_rows() -%}
    {{ return(project_name == 'pool_recon' and adapter.type() == 'spark') }}
{%- endmacro %}


{#- Whether it costs less to keep rows of what has landed so far than to build all of them anew. -#}
{% macro keeping_pays() -%}
    {{ return(adapter.dispatch('keeping_pays', 'pool_recon')()) }}
{%- endmacro %}

{% macro default__keeping_pays() -%}
    {{ return(true) }}
{%- endmacro %}

{#- Most of a build of few rows is the planning of its statements, of which one that keeps rows has more. -#}
{% macro spark__keeping_pays() -%}
    {%- set landed_rows = run_query('select coalesce(sum(row_count), 0) from ' ~ pool_recon.landed('files')).rows[0][0] -%}
    {{ return(landed_rows >= env_var('POOL_RECON_SPARK_KEEP_FROM', '1000000') | int) }}
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

{#- A table in partitions has a column more. -#}
{% macro spark__kept_rows_at_hand(relation, columns) -%}
    {{ return(pool_recon.relation_at_hand(relation.identifier) if pool_recon.this_build().is_incremental else '(select ' ~ columns | join(', ') ~ ' from ' ~ relation ~ ')') }}
{%- endmacro %}

{#- Each row knows the build that wrote it, by which a table of columns is searched as fast as a small one. -#}
{% macro duckdb__kept_rows_at_hand(relation, columns) -%}
    {%- set build = pool_recon.this_build() -%}
    {{ return('(select ' ~ columns | join(', ') ~ ' from ' ~ relation ~ (' where _build_number = ' ~ build.number if build.is_incremental else '') ~ ')') }}
{%- endmacro %}


{#-
    What an incremental build leaves of the kept model that it fills, as an item of a `from` clause.

    Arguments:
        relation: the table of the model.
        kept_by: as in keep_in_place.
-#}
{% macro rows_that_stay(relation, kept_by) -%}
    {{ return(adapter.dispatch('rows_that_stay', 'pool_recon')(relation, kept_by)) }}
{%- endmacro %}

{#- The others were deleted before. -#}
{% macro default__rows_that_stay(relation, kept_by) -%}
    {{ return(relation) }}
{%- endmacro %}

{#- Partitions are overwritten once their new rows are known. -#}
{% macro spark__rows_that_stay(relation, kept_by) -%}
    {%- set gone = pool_recon.rows_gone(kept_by) -%}
    {{ return('(select kept.* from ' ~ relation ~ ' as kept left anti join (' ~ gone.query ~ ') as gone on ' ~ gone.condition ~ ')') }}
{%- endmacro %}
