{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}
-- What each close found, kept as it was.
with findings as (

    select * from {{ ref('findings_approved') }}

),

close as (

    select * from {{ ref('int_close') }}

),

runs as (

    select
        close_log.close_date,
        close_log.run_number,
        close_log.verdict_run_number,
        row_number() over (partition by close_log.close_date order by close_log.run_number desc) as recency
    from {{ ref('close_log') }} as close_log

)

select
    runs.close_date,
    cast(runs.run_number as integer) as run_number,
    findings.exception_id,
    findings.code,
    findings.severity,
    findings.environment,
    findings.subject_type,
    findings.subject_id,
    findings.owner,
    findings.approval,
    findings.evidence_hash
from findings
cross join close
inner join runs
    on
        close.close_date = runs.close_date
        and runs.recency = 1
        and runs.run_number = runs.verdict_run_number
