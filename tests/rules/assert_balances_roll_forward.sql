-- One row per violation of the rule `balances_roll_forward` of the close checklist: where it is, and what was found.
{{ config(tags=['checklist']) }}
select
    subject_type,
    subject_id,
    violation
from {{ pool_recon.violations_as_tested() }}
where rule_name = 'balances_roll_forward'
