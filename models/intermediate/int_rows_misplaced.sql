-- Staged rows that did not go to exactly one place, and records that were lost on the way: there are none, or the project
-- has a defect.
with close as (

    select * from {{ ref('int_close') }}

),
{{ pool_recon.placed_records(pool_recon.at_hand) }}
-- Counting both in one pass is cheaper than joining them.
counted as (
    {% for export_name in pool_recon.export_names() %}
    select
        '{{ export_name }}' as export_name,
        row_order
    from (
        select
            row_order,
            1 as landed,
            0 as placed
        from {{ pool_recon.at_hand('stg_' ~ export_name) }}
        union all
        select
            row_order,
            0 as landed,
            case when place is null then 0 else 1 end as placed
        from (
            {{ pool_recon.row_places_of(export_name, pool_recon.at_hand) }}
        ) as places
    ) as rows_and_places
    group by row_order
    having
        sum(landed) <> 1
        or sum(placed) <> 1
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    export_name,
    row_order,
    'landed row is not in exactly one place' as invariant
from counted
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
