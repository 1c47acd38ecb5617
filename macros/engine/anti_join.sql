{#-
    At the end of a `from` clause: only the rows that another relation does not have. No column is null.

    Arguments:
        rows: the name of the rows in the `from` clause.
        known: the other relation.
        columns: the columns by which the two are compared.
-#}
{% macro anti_join(rows, known, columns) -%}
    {{ return(adapter.dispatch('anti_join', 'pool_recon')(rows, known, columns)) }}
{%- endmacro %}

{% macro default__anti_join(rows, known, columns) -%}
    where not exists (
        select 1 from {{ known }} as known
        where {% for column in columns %}known.{{ column }} = {{ rows }}.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
    )
{%- endmacro %}

{#- Looks at every row twice where the same is said by `not exists`. -#}
{% macro duckdb__anti_join(rows, known, columns) -%}
    anti join {{ known }} as known using ({{ columns | join(', ') }})
{%- endmacro %}
