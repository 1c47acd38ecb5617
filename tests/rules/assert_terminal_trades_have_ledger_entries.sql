-- One row per violation of the rule `terminal_trades_have_ledger_entries` of the close checklist: where it is, and what was found.
{{ config(tags=['checklist']) }}
select
    subject_type,
    subject_id,
    violation
from {{ pool_recon.violations_as_tested() }}
where rule_name = 'terminal_trades_have_ledger_entries'
