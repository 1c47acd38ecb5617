{#-
    An export that another tool landed, in the form in which the loader lands one: every contract column as text, and
    where the row came from. A table counts as one file, and its rows are numbered by the columns of `order_by`, then by
    their content, so that the number of a row does not depend on how the warehouse stores it. Secrets are masked here,
    because the loader had no chance to do it before anything was stored.

    Extra columns follow as extra_1, extra_2 ..., as they are; a value of another type than text in which a secret lies, such
    as a list, is left out, because to mask it would change its type.

    Arguments:
        name: the export.
        required: the columns that its table must have.
        exact: the columns that must not be of a type that rounds.
-#}
{% macro land_export(name, required, exact) %}
{%- set position = pool_recon.export_names().index(name) + 1 -%}
{%- set relation = pool_recon.own_relation(name) -%}
{%- set names = pool_recon.contract_columns(name) -%}
{%- set own = pool_recon.own_columns(name) if relation is not none else [] -%}
{%- if execute and relation is not none -%}
    {%- do pool_recon.check_own_columns(name, required, exact) -%}
{%- endif -%}
{%- set extras = pool_recon.own_columns_listed(name, 'extra_columns') if relation is not none else [] -%}
{%- set orders = pool_recon.own_columns_listed(name, 'order_by') if relation is not none else [] -%}
with texts as (

    select
        {%- for name in names %}
        {%- set column = own | selectattr('contract_column', 'equalto', name) | map(attribute='column') | first | default(none) %}
        cast({{ adapter.quote(column.name) if column is not none else 'null' }} as {{ dbt.type_string() }}) as {{ name }},
        {%- endfor %}
        {%- for column in extras %}
        {{ adapter.quote(column.name) }} as extra_{{ loop.index }},
        {%- endfor %}
        {%- for column in orders %}
        {{ adapter.quote(column.name) }} as order_{{ loop.index }},
        {%- endfor %}
        {{ pool_recon.any_has_secret(own | map(attribute='column') | unique(attribute='name') | list) }} as _has_secret
    {%- if relation is not none %}
    from {{ relation }}
    {%- endif %}

),

numbered as (

    select
        texts.*,
        row_number() over (
            order by {% for _ in orders %}order_{{ loop.index }}, {% endfor %}{{ names | join(', ') or '1' }}{% for _ in extras %}, extra_{{ loop.index }}{% endfor %}
        ) as row_number
    from texts

)

select
    {%- for name in names %}
    case when _has_secret then {{ pool_recon.secrets_masked(name) }} else {{ name }} end as {{ name }},
    {%- endfor %}
    cast({{ position }} as integer) as _file_id,
    cast(row_number as bigint) as _row_number,
    cast(false as boolean) as _is_malformed,
    _has_secret,
    cast(null as {{ dbt.type_string() }}) as _original_text
    {%- for column in extras %},
    {% if not pool_recon.may_hold_text(column) -%}
    extra_{{ loop.index }}
    {%- elif column.is_string() -%}
    case when _has_secret then {{ pool_recon.secrets_masked('extra_' ~ loop.index) }} else extra_{{ loop.index }} end
    {%- else -%}
    case when not {{ pool_recon.has_secret('extra_' ~ loop.index) }} then extra_{{ loop.index }} end
    {%- endif %} as extra_{{ loop.index }}
    {%- endfor %}
from numbered
{%- if relation is none %}
where false
{%- endif %}
{% endmacro %}


{#- The columns of an own table that `extra_columns` or `order_by` lists, in the order of the list. -#}
{% macro own_columns_listed(name, key) -%}
    {%- set listed = [] -%}
    {%- if execute -%}
        {%- set relation = pool_recon.own_relation(name) -%}
        {%- set columns = pool_recon.own_columns(name) | map(attribute='column') | list -%}
        {%- for each in pool_recon.own_sources()[name].get(key, []) -%}
            {%- do listed.append(pool_recon.column_named(columns, each, 'sources.' ~ name ~ '.' ~ key, relation)) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(listed) }}
{%- endmacro %}

{#- Whether any text of a row has a secret, in all columns of its table. -#}
{% macro any_has_secret(columns) -%}
    {%- set checks = [] -%}
    {%- for column in columns if pool_recon.may_hold_text(column) -%}
        {%- do checks.append(pool_recon.has_secret(adapter.quote(column.name))) -%}
    {%- endfor -%}
    {{ checks | join(' or ') or 'false' }}
{%- endmacro %}

{#- Whether the text of a column of any type has a secret; false of null. -#}
{% macro has_secret(column) -%}
    coalesce({{ pool_recon.matches_within('cast(' ~ column ~ ' as ' ~ dbt.type_string() ~ ')', pool_recon.secret_pattern()) }}, false)
{%- endmacro %}

{#- Numbers, dates and flags hold no text; whatever else there is might. -#}
{% macro may_hold_text(column) -%}
    {{ return(modules.re.match('(?i)(u?(big|small|tiny|huge|medium)?int|integer|long|short|byteint|decimal|numeric|number|float|double|real|bool|date|time|interval)', column.dtype | string) is none) }}
{%- endmacro %}
