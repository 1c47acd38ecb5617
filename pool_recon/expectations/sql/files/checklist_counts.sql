-- checklist.csv counts of each rule what exceptions.csv lists, and a rule with an unapproved finding does not hold.
with listed as (

    select
        codes.rule_name,
        count(*) as findings,
        count(case when exceptions.approval = 'approved' then 1 end) as approved,
        count(case when exceptions.approval = 'approved' then 1 end) as excused
    from published_exceptions as exceptions
    inner join reference.ref_findings as codes on exceptions.code = codes.code
    where codes.rule_name <> 'exceptions_owned_and_reviewed'
    group by codes.rule_name
    union all
    -- What nobody owns or is overdue breaks this rule, approved or not.
    select
        'exceptions_owned_and_reviewed' as rule_name,
        count(*) as findings,
        count(case when exceptions.approval = 'approved' then 1 end) as approved,
        0 as excused
    from published_exceptions as exceptions
    left join intermediate.int_close as close on exceptions.next_review_date >= cast(close.close_date as varchar)
    where
        close.close_date is null
        or coalesce(exceptions.owner, '') = ''

)

select
    checklist.rule,
    'says ' || coalesce(checklist.findings, 'nothing') || ' findings, ' || coalesce(checklist.approved, 'nothing') || ' approved, holds ' || coalesce(checklist.holds, 'nothing') || '; exceptions.csv lists ' || coalesce(listed.findings, 0) || ', ' || coalesce(listed.approved, 0) || ' approved' as problem
from published_checklist as checklist
left join listed on checklist.rule = listed.rule_name
where
    checklist.findings is distinct from cast(coalesce(listed.findings, 0) as varchar)
    or checklist.approved is distinct from cast(coalesce(listed.approved, 0) as varchar)
    or (checklist.holds is distinct from 'false' and coalesce(listed.findings, 0) > coalesce(listed.excused, 0))
union all
select
    coalesce(checklist.rule, rules.rule_name) as rule,
    case when checklist.rule is null then 'is not in checklist.csv' else 'is no rule' end as problem
from published_checklist as checklist
full outer join reference.ref_checklist_rules as rules on checklist.rule = rules.rule_name
where
    checklist.rule is null
    or rules.rule_name is null
