-- The verdict of every rule of the registry; a rule that was not judged does not hold.
with rules as (

    select * from {{ ref('ref_checklist_rules') }}

),

judged_rules as (
    {% for rule_name in pool_recon.checklist_rules() %}
    select
        '{{ rule_name }}' as rule_name,
        count(*) as violation_count
    from {{ ref('int_checklist_violations') }}
    where rule_name = '{{ rule_name }}'
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

-- A rule counts the findings of its codes; that of reviews, which has none, the findings that break it.
findings as (

    select
        rule_name,
        approval
    from {{ ref('fct_exceptions') }}
    where rule_name <> 'exceptions_owned_and_reviewed'
    union all
    select
        'exceptions_owned_and_reviewed' as rule_name,
        exceptions.approval
    {{ pool_recon.unreviewed_findings() | indent(4) }}

),

counted_findings as (

    select
        rule_name,
        count(*) as finding_count,
        sum(case when approval = 'approved' then 1 else 0 end) as approved_count
    from findings
    group by rule_name

)

select
    rules.rule_name,
    rules.rule_position,
    coalesce(judged_rules.violation_count = 0, false) as holds,
    judged_rules.rule_name is not null as is_judged,
    cast(coalesce(counted_findings.finding_count, 0) as integer) as findings,
    cast(coalesce(counted_findings.approved_count, 0) as integer) as approved,
    rules.description
from rules
left join judged_rules on rules.rule_name = judged_rules.rule_name
left join counted_findings on rules.rule_name = counted_findings.rule_name
