-- Staged rows that did not go to exactly one place, and records that were lost on the way: there are none, or the project
-- has a defect.
with misplaced as (

    {{ pool_recon.rows_not_in_one_place(pool_recon.at_hand) }}

)

select
    export_name,
    row_order,
    'landed row is not in exactly one place' as invariant
from misplaced
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
