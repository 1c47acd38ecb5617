-- A trace of every time that a date was closed. A close that finds what the one before it found refers to its verdicts.
with findings as (

    select * from {{ ref('findings_approved') }}

),

close as (

    select * from {{ ref('int_close') }}

),

summary as (

    select
        close.close_date,
        count(findings.exception_id) as finding_count,
        {{ pool_recon.text_hash("coalesce(" ~ pool_recon.text_list("findings.exception_id || ',' || findings.severity || ',' || coalesce(findings.owner, '') || ',' || findings.approval || ',' || findings.evidence_hash") ~ ", '')") }} as findings_hash
    from close
    left join findings on true
    group by close.close_date

)

select
    summary.close_date,
    {% if is_incremental() -%}
    cast(coalesce(last_runs.run_number, 0) + 1 as integer) as run_number,
    cast(
        case
            when last_runs.findings_hash = summary.findings_hash then last_runs.verdict_run_number
            else coalesce(last_runs.run_number, 0) + 1
        end as integer
    ) as verdict_run_number,
    {%- else -%}
    cast(1 as integer) as run_number,
    cast(1 as integer) as verdict_run_number,
    {%- endif %}
    summary.finding_count,
    summary.findings_hash
from summary
{% if is_incremental() -%}
left join (
    select
        earlier_runs.*,
        row_number() over (partition by earlier_runs.close_date order by earlier_runs.run_number desc) as recency
    from {{ this }} as earlier_runs
) as last_runs
    on
        summary.close_date = last_runs.close_date
        and last_runs.recency = 1
{%- endif %}
