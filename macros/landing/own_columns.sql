{#-
    The columns of an export's own table in their order: `column` (as the adapter describes it), `contract_column` (what
    it is read as, or none). Read from the warehouse, so empty while dbt only parses.

    A column is read as what `columns` says; else as the contract column of the same name, whatever its case, blanks, - and _.
    An error where `columns` names something that is not there, or where a required column is missing.
-#}
{% macro own_columns(name) -%}
    {%- set described = [] -%}
    {%- if not execute -%}
        {{ return(described) }}
    {%- endif -%}
    {%- set place = pool_recon.own_sources()[name] -%}
    {%- set relation = pool_recon.own_relation(name) -%}
    {%- set contract_columns = pool_recon.contract_columns(name) -%}
    {%- set mapped = place.columns or {} -%}
    {%- do pool_recon.refuse_unknown_keys('sources.' ~ name ~ '.columns', mapped, contract_columns) -%}
    {%- set columns = adapter.get_columns_in_relation(relation) | list -%}
    {%- if not columns -%}
        {{ exceptions.raise_compiler_error("pool_recon: there is no table " ~ relation ~ " for sources." ~ name ~ "; expected its database, schema and table, or a model") }}
    {%- endif -%}
    {%- set read_as = {} -%}
    {%- for contract_column, own in mapped.items() -%}
        {%- do read_as.update({contract_column: pool_recon.column_named(columns, own, 'sources.' ~ name ~ '.columns.' ~ contract_column, relation).name}) -%}
    {%- endfor -%}
    {%- set taken = read_as.values() | list -%}
    {%- for contract_column in contract_columns if contract_column not in mapped -%}
        {%- set column = pool_recon.column_named(columns | rejectattr('name', 'in', taken) | list, contract_column, none, relation) -%}
        {%- if column is not none -%}
            {%- do read_as.update({contract_column: column.name}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for column in columns -%}
        {%- set meanings = [] -%}
        {%- for contract_column, own in read_as.items() if own == column.name -%}
            {%- do meanings.append(contract_column) -%}
        {%- endfor -%}
        {%- for contract_column in meanings or [none] -%}
            {%- do described.append({'column': column, 'contract_column': contract_column}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(described) }}
{%- endmacro %}

{#-
    The column of that name: as it is written, else whatever its case, blanks, - and _; an error where several are called so,
    because nobody can know which is meant. Where there is none: none, or an error where it is said what asks for it.
-#}
{% macro column_named(columns, name, asked_by=none, relation=none) -%}
    {%- set exact = columns | selectattr('name', 'equalto', name) | list -%}
    {%- set similar = [] -%}
    {%- for column in columns if pool_recon.folded(column.name) == pool_recon.folded(name) -%}
        {%- do similar.append(column) -%}
    {%- endfor -%}
    {%- if not exact and similar | length > 1 -%}
        {{ exceptions.raise_compiler_error("pool_recon: " ~ relation ~ " has several columns for " ~ name ~ ": " ~ similar | map(attribute='name') | join(', ') ~ "; say which is meant, as it is written there, in " ~ (asked_by or 'columns of the entry of sources')) }}
    {%- endif -%}
    {%- set found = (exact + similar) | first | default(none) -%}
    {%- if found is none and asked_by is not none -%}
        {{ exceptions.raise_compiler_error("pool_recon: " ~ asked_by ~ " names the column " ~ name ~ ", which " ~ relation ~ " does not have; it has " ~ columns | map(attribute='name') | join(', ')) }}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}

{#- A name without what does not tell names apart: case, white space, - and _. -#}
{% macro folded(name) -%}
    {{ return(modules.re.sub('[ \t\n\r\x0b\x0c_-]+', '', name | string) | lower) }}
{%- endmacro %}

{#- The columns that a landed table may have besides those that say where a row came from, as the sources are described. -#}
{% macro contract_columns(name) -%}
    {%- set columns = [] -%}
    {%- for table in (graph.sources or {}).values() if table.package_name == 'pool_recon' and table.name == name -%}
        {%- for column in table.columns if not column.startswith('_') and column != 'line_number' -%}
            {%- do columns.append(column) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{#- Stops where an own table lacks a column that the export must have, or holds amounts in a type that rounds. -#}
{% macro check_own_columns(name, required, exact) -%}
    {%- set relation = pool_recon.own_relation(name) -%}
    {%- set own = pool_recon.own_columns(name) -%}
    {%- set missing = required | reject('in', own | map(attribute='contract_column') | list) | list -%}
    {%- if missing -%}
        {{ exceptions.raise_compiler_error("pool_recon: " ~ relation ~ " (export " ~ name ~ ") lacks " ~ missing | join(', ') ~ "; it has " ~ own | map(attribute='column.name') | unique | join(', ') ~ "; say in sources." ~ name ~ ".columns which of them is meant") }}
    {%- endif -%}
    {%- for each in own if each.contract_column in exact and pool_recon.is_inexact(each.column) -%}
        {{ exceptions.raise_compiler_error("pool_recon: the column " ~ each.column.name ~ " of " ~ relation ~ " (export " ~ name ~ ") is of the type " ~ each.column.dtype ~ ", which rounds amounts; expected text or decimal") }}
    {%- endfor -%}
{%- endmacro %}

{#- Stops where the own exception register lacks a column: without its dates and its owner an approval would count for longer
    or for another. The evidence alone is optional, as in a file. -#}
{% macro check_own_register() -%}
    {%- do pool_recon.check_own_columns('exception_register', pool_recon.register_columns() | reject('equalto', 'evidence_hash') | list, []) -%}
{%- endmacro %}

{#- True for binary floating point, in which an amount was rounded before it was read. -#}
{% macro is_inexact(column) -%}
    {{ return(modules.re.match('(?i)(float|double|real|half)', column.dtype | string) is not none) }}
{%- endmacro %}
