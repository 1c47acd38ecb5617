{#-
    A query as an item of a `from` clause, whether an alias follows or not.

    Arguments:
        query: the query.
        name: what it is called where no alias follows.
-#}
{% macro query_as_relation(query, name) -%}
    {{ return(adapter.dispatch('query_as_relation', 'pool_recon')(query, name)) }}
{%- endmacro %}

{% macro default__query_as_relation(query, name) -%}
    {{ return('(' ~ query ~ '\n)') }}
{%- endmacro %}

{#- Before its version 16 PostgreSQL demands an alias of a query, but not of a join. A query without columns has one row,
    and the planner leaves it out. -#}
{% macro postgres__query_as_relation(query, name) -%}
    {{ return('((' ~ query ~ '\n) as ' ~ name ~ ' cross join (select) as nothing)') }}
{%- endmacro %}
