{#- The own tables in the place of files: one for each export, with the number of rows that it has. -#}
{% macro land_files() %}
{%- for name in pool_recon.export_names() if name in pool_recon.own_sources() %}
{%- set relation = pool_recon.own_relation(name) %}
{%- set path = pool_recon.own_name(relation) %}
{%- set names = (pool_recon.own_columns(name) | map(attribute='column.name') | list) + [relation.schema ~ '.' ~ relation.identifier] %}
{{ 'union all' if not loop.first }}
select
    cast({{ pool_recon.export_names().index(name) + 1 }} as integer) as file_id,
    cast(1 as integer) as load_id,
    {{ pool_recon.text_literal(name) }} as export_name,
    {{ pool_recon.text_literal(path) }} as path,
    {{ pool_recon.text_literal(path) }} as row_name,
    cast(null as {{ dbt.type_string() }}) as sha256,
    {{ pool_recon.text_literal('table') }} as format,
    cast(null as bigint) as size_bytes,
    cast(count(*) as bigint) as row_count,
    cast({{ names | map('string') | join(' ') != pool_recon.masked_name(names | map('string') | join(' ')) }} as boolean) as has_secret
from {{ relation }}
{%- endfor %}
{% endmacro %}


{#- The columns of the own tables in the place of those of files. -#}
{% macro land_file_columns() %}
{%- set rows = [] -%}
{%- for name in pool_recon.export_names() if name in pool_recon.own_sources() -%}
    {%- set file_id = pool_recon.export_names().index(name) + 1 -%}
    {#- also while dbt only parses: what the columns are read from has to be built before -#}
    {%- do pool_recon.own_relation(name) -%}
    {%- for each in pool_recon.own_columns(name) -%}
        {%- do rows.append((file_id, loop.index, each.column.name, each.contract_column)) -%}
    {%- endfor -%}
{%- endfor -%}
{%- for file_id, position, column_name, contract_column in rows or [(0, 0, '', none)] %}
{{ 'union all' if not loop.first }}
select
    cast({{ file_id }} as integer) as file_id,
    cast({{ position }} as integer) as column_position,
    {{ pool_recon.text_literal(pool_recon.masked_name(column_name)) }} as column_name,
    {{ pool_recon.text_literal(contract_column) if contract_column is not none else 'cast(null as ' ~ dbt.type_string() ~ ')' }} as contract_column
{%- endfor %}
{% endmacro %}


{#- The exception register as a table or model of one's own; without one there are no approvals. -#}
{% macro land_exception_register() %}
{%- set relation = pool_recon.own_relation('exception_register') -%}
{%- set own = pool_recon.own_columns('exception_register') if relation is not none else [] -%}
{%- set names = pool_recon.register_columns() -%}
{%- if execute and relation is not none -%}
    {%- do pool_recon.check_own_register() -%}
{%- endif -%}
with texts as (

    select
        {%- for name in names %}
        {%- set column = own | selectattr('contract_column', 'equalto', name) | map(attribute='column') | first | default(none) %}
        cast({{ adapter.quote(column.name) if column is not none else 'null' }} as {{ dbt.type_string() }}) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    {%- if relation is not none %}
    from {{ relation }}
    {%- endif %}

)

select
    cast(row_number() over (order by {{ names | join(', ') }}) as integer) as line_number,
    texts.*
from texts
{%- if relation is none %}
where false
{%- endif %}
{% endmacro %}
