-- Every trade that says it is terminal has a valid webhook or a status read of that status, or it is excused.
select
    subject_type,
    subject_id,
    code as problem
from standing_findings
where rule_name = 'webhook_gaps_confirmed'
union all
select
    'trade' as subject_type,
    trades.transact_id as subject_id,
    trades.trade_status || ', no trusted confirmation' as problem
from marts.fct_reconciliation as trades
inner join reference.ref_trade_states as states
    on
        trades.trade_status = states.status
        and states.is_terminal
left join marts.fct_events as events
    on
        trades.transact_id = events.joined_transact_id
        and trades.trade_status = events.status
        and (events.source = 'status_read' or (events.source = 'webhook' and events.signature_result = 'valid'))
left join excused
    on
        excused.subject_type = 'trade'
        and excused.code in ('missing_webhook', 'cutoff_timing_difference')
        and trades.transact_id = excused.subject_id
where
    trades.movement_type = 'trade'
    and events.event_id is null
    and excused.subject_id is null
