{#-
    Records without what a rule of the close checklist asks of each of them, one row each, whatever was found about them. It
    asks the joined records themselves, not the sums that the findings are raised from.

    Arguments:
        rule_name: a rule of answers_to_gaps.
        relation_of: what gives the relation of a model, `ref` for all rows.
-#}
{% macro checklist_gaps(rule_name, relation_of) -%}
    {%- if rule_name == 'terminal_trades_have_ledger_entries' -%}
        {{ pool_recon.gaps_of_terminal_trades_have_ledger_entries(relation_of) }}
    {%- elif rule_name == 'ledger_entries_join' -%}
        {{ pool_recon.gaps_of_ledger_entries_join(relation_of) }}
    {%- elif rule_name == 'webhook_gaps_confirmed' -%}
        {{ pool_recon.gaps_of_webhook_gaps_confirmed(relation_of) }}
    {%- endif -%}
{%- endmacro %}


{#- The findings that answer for such a record, by rule: (code, whether only once it is approved). -#}
{% macro answers_to_gaps() -%}
    {{ return({
        'terminal_trades_have_ledger_entries': [('cutoff_timing_difference', false), ('missing_ledger_entry', true)],
        'ledger_entries_join': [('orphan_ledger_entry', true)],
        'webhook_gaps_confirmed': [('cutoff_timing_difference', false), ('missing_webhook', true)],
    }) }}
{%- endmacro %}


{#-
    The records without what a rule asks of them for which no finding answers.

    Arguments:
        rule_name: a rule of answers_to_gaps.
        is_later: as in all_violations.
-#}
{% macro unanswered_gaps(rule_name, is_later) %}
select
    gaps.subject_type,
    gaps.subject_id,
    gaps.violation
from (
    {% if is_later -%}
    {{ pool_recon.checklist_gaps(rule_name, ref) }}
    {%- else -%}
    select
        subject_type,
        subject_id,
        violation
    from {{ ref('int_checklist_gaps') }}
    where rule_name = '{{ rule_name }}'
    {%- endif %}
) as gaps
left join {{ ref('fct_exceptions') }} as exceptions
    on
        gaps.subject_type = exceptions.subject_type
        and gaps.subject_id = exceptions.subject_id
        and (
            {%- for code, is_approved in pool_recon.answers_to_gaps()[rule_name] %}
            {{ 'or ' if not loop.first }}exceptions.code = '{{ code }}' {{- " and exceptions.approval = 'approved'" if is_approved }}
            {%- endfor %}
        )
where exceptions.exception_id is null
{% endmacro %}


{#- What became of a trade in the end decides, its effective status, and whether that status needs an entry. -#}
{% macro gaps_of_terminal_trades_have_ledger_entries(relation_of) %}
    select
        'trade' as subject_type,
        trades.transact_id as subject_id,
        trades.effective_status || ' without a ledger entry' as violation
    from {{ relation_of('int_trades_reconciled') }} as trades
    where
        trades.effective_status in (select states.status from {{ ref('ref_trade_states') }} as states where states.requires_ledger_entry)
        and not exists (select 1 from {{ relation_of('int_ledger_entries_joined') }} as entries where trades.transact_id = entries.joined_transact_id)
{% endmacro %}

{#- A trade alone is not enough: it has to have its quote and its order. -#}
{% macro gaps_of_ledger_entries_join(relation_of) %}
    select
        'ledger_entry' as subject_type,
        entries.ledger_entry_id as subject_id,
        'joins to no trade with its quote and order' as violation
    from {{ relation_of('int_ledger_entries_joined') }} as entries
    left join {{ relation_of('int_trades_linked') }} as trades on entries.joined_transact_id = trades.transact_id
    where
        entries.needs_trade
        and (trades.known_quote_id is null or trades.partner_order_id is null)
{% endmacro %}

{#- The status that the trade itself states decides, because it is what has to be confirmed. -#}
{% macro gaps_of_webhook_gaps_confirmed(relation_of) %}
    select
        'trade' as subject_type,
        trades.transact_id as subject_id,
        trades.status || ' without a trusted confirmation' as violation
    from {{ relation_of('int_trades_reconciled') }} as trades
    where
        trades.is_own_status_terminal
        and not exists (
            select 1 from {{ relation_of('int_events_joined') }} as events
            where
                trades.transact_id = events.joined_transact_id
                and trades.status = events.status
                and events.is_trusted
        )
{% endmacro %}
