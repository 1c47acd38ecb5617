-- One row with a verdict for each rule of the registry.
select
    coalesce(rules.rule_name, verdicts.rule_name) as rule,
    'stands ' || count(verdicts.rule_name) || ' times, ' || count(verdicts.holds) || ' with a verdict' as problem
from reference.ref_checklist_rules as rules
full outer join marts.close_checklist as verdicts on rules.rule_name = verdicts.rule_name
group by coalesce(rules.rule_name, verdicts.rule_name)
having
    count(verdicts.holds) <> 1
    or count(verdicts.rule_name) <> 1
    or count(rules.rule_name) <> 1
