-- What each close found, kept as it was. A close refers to these by verdict_run_number; verdicts that are there already
-- are not written again, and those that a build which stopped half-way left out are written by the next.
with findings as (

    select * from {{ ref('findings_approved') }}

),

close as (

    select * from {{ ref('int_close') }}

),

runs as (

    select
        close_log.close_date,
        close_log.verdict_run_number,
        row_number() over (partition by close_log.close_date order by close_log.run_number desc) as recency
    from {{ ref('close_log') }} as close_log

)

select
    runs.close_date,
    runs.verdict_run_number as run_number,
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
{%- if is_incremental() %}
left join (
    select distinct
        kept.close_date,
        kept.run_number
    from {{ this }} as kept
) as kept_runs
    on
        runs.close_date = kept_runs.close_date
        and runs.verdict_run_number = kept_runs.run_number
where kept_runs.run_number is null
{%- endif %}
