{#- The rules of the close checklist in their order, as in ref_checklist_rules. -#}
{% macro checklist_rules() -%}
    {{ return([
        'terminal_trades_have_ledger_entries',
        'ledger_entries_join',
        'amounts_agree_exactly',
        'webhook_gaps_confirmed',
        'exceptions_owned_and_reviewed',
        'states_move_forward',
        'balances_roll_forward',
        'nothing_lost',
        'records_immutable',
        'no_secrets',
        'no_other_blocking_findings',
    ]) }}
{%- endmacro %}
