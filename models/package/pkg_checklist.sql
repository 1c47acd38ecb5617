-- checklist.csv: one row per rule of the close checklist.
select
    rule_name as rule,
    {{ pool_recon.flag_text('holds') }} as holds,
    cast(findings as varchar) as findings,
    cast(approved as varchar) as approved,
    description,
    rule_position as _sort_1
from {{ ref('close_checklist') }}
