{#-
    Where every landed row went at this close: one place each.

    Arguments:
        relation_of: what gives the relation of a model, `ref` for all rows.
-#}
{% macro row_places(relation_of) %}
{{ pool_recon.placed_records(relation_of) }}
placed as (
    {% for export_name in pool_recon.export_names() %}
    {{ pool_recon.row_places_of(export_name, relation_of) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select * from placed
{% endmacro %}


{#- The common table expressions that `row_places_of` reads: the close, and the ids of what a row in force can be part of. -#}
{% macro placed_records(relation_of) -%}
with close as (

    select * from {{ ref('int_close') }}

),

movement_orders as (

    select distinct partner_order_id as record_id from {{ relation_of('int_movements') }}

),

movement_quotes as (

    select distinct quote_id as record_id from {{ relation_of('int_movements') }}

),

movement_trades as (

    select distinct transact_id as record_id from {{ relation_of('int_movements') }}

),

events as (

    select event_id as record_id from {{ relation_of('int_events_joined') }}

),

ledger_entries as (

    select ledger_entry_id as record_id from {{ relation_of('int_ledger_entries_joined') }}

),
{% endmacro %}


{#-
    Where the rows of one export went; it reads `placed_records`.

    Arguments:
        export_name: the export.
        relation_of: what gives the relation of a model, `ref` for all rows.
-#}
{% macro row_places_of(export_name, relation_of) %}
    {#- of each export: what is in force, its key, its own moment, those of a version, what it is part of, and that place -#}
    {%- set in_force, key, own_time, version_times, records, record_place = {
        'orders': ('int_orders_in_force', 'partner_order_id', 'export_rows.created_at >=', ['updated_at'], 'movement_orders', 'movement'),
        'quotes': ('int_quotes_linked', 'quote_id', 'coalesce(export_rows.created_at, export_rows.accepted_at) >=', [], 'movement_quotes', 'movement'),
        'trades': ('int_trades_in_force', 'transact_id', 'coalesce(export_rows.reserved_at, export_rows.terminal_at) >=', ['updated_at', 'terminal_at'], 'movement_trades', 'movement'),
        'events': ('int_events_joined', 'event_id', 'export_rows.received_at >=', [], 'events', 'event'),
        'ledger': ('int_ledger_entries_joined', 'ledger_entry_id', 'export_rows.effective_at >=', [], 'ledger_entries', 'ledger_entry'),
        'funding': ('int_funding_in_force', none, none, [], none, 'funding'),
        'balances': ('int_balances_in_force', none, 'export_rows.as_of >', [], none, 'balances'),
        'pools': ('int_pools_in_force', none, 'export_rows.seen_at >', [], none, 'pools'),
    }[export_name] %}
    select
        '{{ export_name }}' as export_name,
        export_rows.file_id,
        export_rows.row_number,
        case
            when export_rows.quarantine_reasons is not null then 'quarantine'
            {%- if records %}
            when in_force.row_order is not null then case when places.record_id is not null then '{{ record_place }}' else 'awaiting_movement' end
            {%- else %}
            when in_force.row_order is not null then '{{ record_place }}'
            {%- endif %}
            {%- if own_time %}
            when {{ own_time }} close.cut_off_at then 'after_cut_off'
            {%- endif %}
            {%- for version_time in version_times %}
            when export_rows.{{ version_time }} >= close.cut_off_at then 'after_cut_off'
            {%- endfor %}
            else set_aside.disposition
        end as place,
        export_rows.row_order
    from {{ relation_of('stg_' ~ export_name) }} as export_rows
    cross join close
    left join {{ relation_of(in_force) }} as in_force on export_rows.row_order = in_force.row_order
    {%- if records %}
    left join {{ records }} as places on in_force.{{ key }} = places.record_id
    {%- endif %}
    left join {{ relation_of('int_rows_set_aside') }} as set_aside
        on
            export_rows.row_order = set_aside.row_order
            and set_aside.export_name = '{{ export_name }}'
{%- endmacro %}


{#-
    The rows of staging that do not have exactly one place: an id that is there twice gives a row two, and one that counts at
    this close, was not set aside and is not in force has none. The joins keep every row, and `int_close` has one.

    Arguments:
        relation_of: what gives the relation of a model, `ref` for all rows.
-#}
{% macro rows_not_in_one_place(relation_of) %}
{{ pool_recon.placed_records(relation_of) }}
counted as (
    {% for export_name in pool_recon.export_names() %}
    select
        '{{ export_name }}' as export_name,
        row_order
    from (
        {{ pool_recon.row_places_of(export_name, relation_of) }}
    ) as places
    group by row_order
    having
        count(*) <> 1
        or count(place) <> 1
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select * from counted
{% endmacro %}
