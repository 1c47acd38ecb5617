-- register.csv: one row per line of the exception register, with the finding that it matches and what it gave it.
select
    cast(line_number as varchar) as line_number,
    code,
    subject_type,
    subject_id,
    environment,
    owner,
    cast(next_review_date as varchar) as next_review_date,
    approved_by,
    cast(approved_on as varchar) as approved_on,
    reason,
    cast(expires_on as varchar) as expires_on,
    evidence_hash,
    {{ pool_recon.flag_text('is_matched') }} as matched,
    approval,
    exception_id,
    line_number as _sort_1
from {{ ref('fct_register_rows') }}
