-- The movements that have findings, with what these say of them.
select
    movement_id,
    movement_type,
    {{ pool_recon.text_list('code') }} as finding_codes,
    max(case when is_blocking then 1 else 0 end) = 1 as has_blocking_finding,
    max(case when is_blocking and approval <> 'approved' then 1 else 0 end) = 1 as has_open_finding
from {{ ref('int_movement_findings') }}
group by movement_id, movement_type
