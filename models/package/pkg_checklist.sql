-- checklist.csv: one row per rule of the close checklist.
select
    rule_name as rule,
    {{ pool_recon.flag_text('holds') }} as holds,
    cast(findings as {{ dbt.type_string() }}) as findings,
    cast(approved as {{ dbt.type_string() }}) as approved,
    description,
    rule_position as _sort_1
from {{ ref('close_checklist') }}
