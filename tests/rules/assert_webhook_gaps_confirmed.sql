-- One row per violation of the rule `webhook_gaps_confirmed` of the close checklist: where it is, and what was found.
{{ config(tags=['checklist']) }}
select
    subject_type,
    subject_id,
    violation
from {{ pool_recon.violations_as_tested() }}
where rule_name = 'webhook_gaps_confirmed'
