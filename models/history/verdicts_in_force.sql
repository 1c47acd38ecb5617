{{ config(materialized='view') }}
-- What the closes that count found. A streak numbers the unbroken runs of closes that show a finding.
with closes as (

    select * from {{ ref('closes_in_force') }}

),

verdicts as (

    select * from {{ ref('close_verdicts') }}

)

select
    verdicts.exception_id,
    verdicts.code,
    verdicts.severity,
    verdicts.environment,
    verdicts.subject_type,
    verdicts.subject_id,
    verdicts.owner,
    verdicts.approval,
    verdicts.evidence_hash,
    verdicts.close_date,
    closes.close_number,
    closes.close_number - row_number() over (partition by verdicts.exception_id order by closes.close_number) as streak
from verdicts
inner join closes
    on
        verdicts.close_date = closes.close_date
        and verdicts.run_number = closes.verdict_run_number
