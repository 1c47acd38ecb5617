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

findings as (

    select
        rule_name,
        count(*) as finding_count,
        sum(case when approval = 'approved' then 1 else 0 end) as approved_count
    from {{ ref('fct_exceptions') }}
    where rule_name is not null
    group by rule_name

)

select
    rules.rule_name,
    rules.rule_position,
    coalesce(judged_rules.violation_count = 0, false) as holds,
    judged_rules.rule_name is not null as is_judged,
    cast(case
        when rules.rule_name = 'exceptions_owned_and_reviewed' then coalesce(judged_rules.violation_count, 0)
        else coalesce(findings.finding_count, 0)
    end as integer) as findings,
    cast(coalesce(findings.approved_count, 0) as integer) as approved,
    rules.description
from rules
left join judged_rules on rules.rule_name = judged_rules.rule_name
left join findings on rules.rule_name = findings.rule_name
