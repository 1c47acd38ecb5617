-- No other blocking finding is unapproved, no event is without a trade and no quote was traded twice, unless that is approved.
with repeated_quotes as (

    select quote_id
    from marts.fct_reconciliation
    where movement_type = 'trade'
    group by quote_id
    having count(*) > 1

),

ranked_trades as (

    select
        trades.transact_id,
        row_number() over (partition by trades.quote_id order by trades.reserved_at nulls last, trades.transact_id) as rank_of_quote
    from marts.fct_reconciliation as trades
    inner join repeated_quotes on trades.quote_id = repeated_quotes.quote_id
    where trades.movement_type = 'trade'

)

select
    findings.subject_type,
    findings.subject_id,
    findings.code as problem
from standing_findings as findings
left join reference.ref_checklist_rules as rules on findings.rule_name = rules.rule_name
where
    findings.severity is distinct from 'warning'
    and (findings.rule_name = 'no_other_blocking_findings' or rules.rule_name is null)
union all
select
    'event' as subject_type,
    events.event_id as subject_id,
    'joins to no trade' as problem
from marts.fct_events as events
left join excused
    on
        excused.code = 'orphan_event'
        and events.event_id = excused.subject_id
where
    events.joined_transact_id is null
    and excused.subject_id is null
union all
select
    'trade' as subject_type,
    ranked_trades.transact_id as subject_id,
    'its quote has an earlier trade' as problem
from ranked_trades
left join excused
    on
        excused.subject_type = 'trade'
        and excused.code = 'duplicate_trade_attempt'
        and ranked_trades.transact_id = excused.subject_id
where
    ranked_trades.rank_of_quote > 1
    and excused.subject_id is null
