{#-
    Have a build that looks at all rows read the large side of every join as it comes, and keep the other side in mind.

    Arguments:
        is_incremental: whether the build looks only at some rows, and the planner may choose.
-#}
{% macro join_as_written(is_incremental) -%}
    {{ return(adapter.dispatch('join_as_written', 'pool_recon')(is_incremental)) }}
{%- endmacro %}

{% macro default__join_as_written(is_incremental) -%}
{%- endmacro %}

{#- DuckDB takes too few rows for what comes of a left join on an expression, and then keeps all columns of the whole chain of
    joins in memory, once for each join, beyond what it can spill. -#}
{% macro duckdb__join_as_written(is_incremental) -%}
    {%- do run_query('reset global disabled_optimizers' if is_incremental else "set global disabled_optimizers = 'build_side_probe_side'") -%}
{%- endmacro %}
