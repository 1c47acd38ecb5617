{#-
    A checksum of whole rows and values, a whole number of 63 bits, by which a published row that did not change is
    recognised; null where the engine has none. It is of no meaning outside the database that it was computed in.

    Arguments:
        values: expressions, or the name of a relation in the `from` clause for all columns of its row.
-#}
{% macro row_checksum(values) -%}
    {{ return(adapter.dispatch('row_checksum', 'pool_recon')(values)) }}
{%- endmacro %}

{% macro default__row_checksum(values) -%}
    cast(null as {{ dbt.type_bigint() }})
{%- endmacro %}

{#- The name of a relation stands for its whole row, so that no column can be forgotten. -#}
{% macro duckdb__row_checksum(values) -%}
    cast(hash({{ values | join(', ') }}) >> 1 as bigint)
{%- endmacro %}


{#-
    A whole number computed from all columns of a row. The sum over a table changes with every value of it.

    Arguments:
        rows: the relation in the `from` clause, by its name there.
-#}
{% macro row_digest(rows) -%}
    {{ return(adapter.dispatch('row_digest', 'pool_recon')(rows)) }}
{%- endmacro %}

{% macro default__row_digest(rows) -%}
    cast(hash({{ rows }}) as hugeint)
{%- endmacro %}

{#- A sum of these is a number of any size. -#}
{% macro postgres__row_digest(rows) -%}
    hash_record_extended({{ rows }}, 0)
{%- endmacro %}

{#- A hash of columns passes over nulls, so that a value could move to the column beside it. A sum of whole numbers of 64 bits
    would overflow; this one has room for ten digits more. -#}
{% macro spark__row_digest(rows) -%}
    cast(xxhash64(to_json(struct({{ rows }}.*))) as decimal(20, 0))
{%- endmacro %}
