-- What came out of each close in figures, kept as it was; one row per entry of the close log.
with runs as (

    {{ pool_recon.runs_to_keep() }}

),

movements as (

    select
        {%- for state in ['matched', 'approved', 'exception', 'open', 'lapsed'] %}
        count(case when reconciliation_state = '{{ state }}' then 1 end) as {{ state }}_count,
        {%- endfor %}
        count(*) as movement_count
    from {{ ref('fct_reconciliation') }}

),

findings as (

    select
        count(case when is_blocking then 1 end) as blocking_finding_count,
        count(case when not is_blocking then 1 end) as warning_finding_count,
        count(case when approval = 'approved' then 1 end) as approved_finding_count
    from {{ ref('fct_exceptions') }}

),

rules as (

    select
        count(*) as rule_count,
        count(case when holds then 1 end) as holding_rule_count
    from {{ ref('close_checklist') }}

)

select
    runs.close_date,
    runs.run_number,
    movements.movement_count,
    movements.matched_count,
    movements.approved_count,
    movements.exception_count,
    movements.open_count,
    movements.lapsed_count,
    findings.blocking_finding_count,
    findings.warning_finding_count,
    findings.approved_finding_count,
    rules.rule_count,
    rules.holding_rule_count
from runs
cross join movements
cross join findings
cross join rules
