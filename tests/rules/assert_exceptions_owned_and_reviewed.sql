-- One row per violation of the rule `exceptions_owned_and_reviewed` of the close checklist: where it is, and what was found.
{{ config(tags=['checklist']) }}
select
    subject_type,
    subject_id,
    violation
from {{ pool_recon.violations_as_tested() }}
where rule_name = 'exceptions_owned_and_reviewed'
