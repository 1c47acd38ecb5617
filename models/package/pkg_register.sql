-- register.csv: one row per line of the exception register, with the finding that it matches and what it gave it.
select
    cast(line_number as {{ dbt.type_string() }}) as line_number,
    code,
    subject_type,
    subject_id,
    environment,
    owner,
    {{ pool_recon.date_text('next_review_date') }} as next_review_date,
    approved_by,
    {{ pool_recon.date_text('approved_on') }} as approved_on,
    reason,
    {{ pool_recon.date_text('expires_on') }} as expires_on,
    evidence_hash,
    {{ pool_recon.flag_text('is_matched') }} as matched,
    approval,
    exception_id,
    rejected_for as _rejected_for,
    line_number as _sort_1
from {{ ref('fct_register_rows') }}
