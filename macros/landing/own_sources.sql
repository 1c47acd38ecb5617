{#-
    The tables that hold the exports where another tool than the loader fills them: the var `sources`, an entry for each
    export and one for the exception register. Empty where the loader fills them. An error where an entry, or a key of
    one, is not known.
-#}
{% macro own_sources() -%}
    {%- set sources = var('sources', none) or {} -%}
    {%- if sources is not mapping -%}
        {{ exceptions.raise_compiler_error("pool_recon: the var sources is no mapping; expected an entry for each export, such as sources: {orders: {schema: shop, table: orders}}") }}
    {%- endif -%}
    {%- set known_names = pool_recon.export_names() + ['exception_register'] -%}
    {%- do pool_recon.refuse_unknown_keys('sources', sources, known_names) -%}
    {%- for name, place in sources.items() -%}
        {%- if place is not mapping -%}
            {{ exceptions.raise_compiler_error("pool_recon: sources." ~ name ~ " is no mapping; expected such as " ~ name ~ ": {schema: shop, table: " ~ name ~ "}; leave an absent export out") }}
        {%- endif -%}
        {%- do pool_recon.refuse_unknown_keys('sources.' ~ name, place, ['database', 'schema', 'table', 'model', 'columns', 'extra_columns', 'order_by']) -%}
        {%- if place.model and (place.database or place.schema or place.table) -%}
            {{ exceptions.raise_compiler_error("pool_recon: sources." ~ name ~ " names a model and a table; expected one of them") }}
        {%- endif -%}
        {%- for key in ['extra_columns', 'order_by'] if place[key] is defined and (place[key] is string or place[key] is mapping or place[key] is not iterable) -%}
            {{ exceptions.raise_compiler_error("pool_recon: sources." ~ name ~ "." ~ key ~ " is no list; expected such as " ~ key ~ ": [column_name]") }}
        {%- endfor -%}
        {%- if place.columns is defined and place.columns is not mapping -%}
            {{ exceptions.raise_compiler_error("pool_recon: sources." ~ name ~ ".columns is no mapping; expected such as columns: {environment: your_column}") }}
        {%- endif -%}
    {%- endfor -%}
    {%- set missing = pool_recon.required_export_names() | reject('in', sources) | list -%}
    {%- if sources and missing -%}
        {{ exceptions.raise_compiler_error("pool_recon: sources lacks " ~ missing | join(', ') ~ "; expected a table for each of " ~ pool_recon.required_export_names() | join(', ')) }}
    {%- endif -%}
    {{ return(sources) }}
{%- endmacro %}

{#- A misspelt key is an error that names it; it would be left unread without a word. -#}
{% macro refuse_unknown_keys(where, mapping, known) -%}
    {%- set unknown = mapping.keys() | reject('in', known) | list -%}
    {%- if unknown -%}
        {{ exceptions.raise_compiler_error("pool_recon: " ~ where ~ " has the unknown " ~ ('keys ' if unknown | length > 1 else 'key ') ~ unknown | join(', ') ~ "; expected some of " ~ known | join(', ')) }}
    {%- endif -%}
{%- endmacro %}

{#- The table or model that holds an export, or none where `sources` has no entry for it. -#}
{% macro own_relation(name) -%}
    {%- set place = pool_recon.own_sources().get(name) -%}
    {%- if place is none -%}
        {{ return(none) }}
    {%- elif place.model -%}
        {{ return(ref(place.model)) }}
    {%- endif -%}
    {%- set declared = source('raw', name) -%}
    {{ return(declared.incorporate(path={
        'database': place.database or declared.database,
        'schema': place.schema or declared.schema,
        'identifier': place.table or declared.identifier,
    })) }}
{%- endmacro %}

{#- What the rows of a table are named after in findings: its schema and its name, secrets masked. -#}
{% macro own_name(relation) -%}
    {{ return(pool_recon.masked_name(relation.schema ~ '.' ~ relation.identifier)) }}
{%- endmacro %}
