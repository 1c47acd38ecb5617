{#- Whether an export has extra columns to carry on. -#}
{% macro has_extra_columns(name) -%}
    {{ return((pool_recon.own_sources().get(name) or {}).get('extra_columns', []) | length > 0) }}
{%- endmacro %}

{#-
    The extra columns of an export, under the names that they have in its own table, beside the id of their record and the
    place that the row has at this close.

    Arguments:
        name: the export.
        keys: the columns of its primary id.
-#}
{% macro extra_columns(name, keys) %}
{%- set extras = pool_recon.own_columns_listed(name, 'extra_columns') -%}
{%- for column in extras if pool_recon.folded(column.name) in (keys + ['row_number', 'place', 'is_in_force']) | map('replace', '_', '') -%}
    {{ exceptions.raise_compiler_error("pool_recon: sources." ~ name ~ ".extra_columns names " ~ column.name ~ ", which extra_" ~ name ~ " has already; expected other columns than " ~ (keys + ['row_number', 'place', 'is_in_force']) | join(', ')) }}
{%- endfor -%}
select
    {%- for key in keys %}
    {{ pool_recon.trimmed('landed.' ~ key) }} as {{ key }},
    {%- endfor %}
    landed._row_number as row_number,
    places.place,
    places.place not in ('quarantine', 'duplicate', 'superseded', 'after_cut_off') as is_in_force
    {%- for column in extras %},
    landed.extra_{{ loop.index }} as {{ adapter.quote(column.name) }}
    {%- endfor %}
from {{ ref('landed_' ~ name) }} as landed
inner join {{ ref('fct_row_places') }} as places
    on
        {{ pool_recon.row_order('landed._file_id', 'landed._row_number') }} = places.row_order
        and places.export_name = '{{ name }}'
{% endmacro %}
