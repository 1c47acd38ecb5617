-- Staged rows that did not go to exactly one place, and records that were lost on the way: there are none, or the project
-- has a defect.
with places as (

    {{ pool_recon.row_places(pool_recon.at_hand) }}

),

landed_rows as (
    {% for export_name in pool_recon.export_names() %}
    select
        '{{ export_name }}' as export_name,
        row_order
    from {{ pool_recon.at_hand('stg_' ~ export_name) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    landed_rows.export_name,
    landed_rows.row_order,
    'landed row is not in exactly one place' as invariant
from landed_rows
left join places
    on
        landed_rows.export_name = places.export_name
        and landed_rows.row_order = places.row_order
group by landed_rows.export_name, landed_rows.row_order
having
    count(*) > 1
    or count(places.place) <> 1
union all
select
    'events' as export_name,
    in_force.row_order,
    'event or entry is missing from its fact' as invariant
from {{ pool_recon.at_hand('int_events_in_force') }} as in_force
left join {{ pool_recon.at_hand('int_events_joined') }} as joined on in_force.row_order = joined.row_order
where joined.row_order is null
union all
select
    'ledger' as export_name,
    in_force.row_order,
    'event or entry is missing from its fact' as invariant
from {{ pool_recon.at_hand('int_ledger_entries_in_force') }} as in_force
left join {{ pool_recon.at_hand('int_ledger_entries_joined') }} as joined on in_force.row_order = joined.row_order
where joined.row_order is null
