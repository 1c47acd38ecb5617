-- Every trade whose outcome needs a ledger entry joins to one, every returned trade to a return or refund, or it is excused.
select
    subject_type,
    subject_id,
    code as problem
from standing_findings
where rule_name = 'terminal_trades_have_ledger_entries'
union all
select
    'trade' as subject_type,
    trades.transact_id as subject_id,
    trades.effective_status || ', no ledger entry' as problem
from marts.fct_reconciliation as trades
inner join reference.ref_trade_states as states
    on
        trades.effective_status = states.status
        and states.requires_ledger_entry
left join trade_nets as nets on trades.transact_id = nets.transact_id
left join excused
    on
        excused.subject_type = 'trade'
        and excused.code in ('missing_ledger_entry', 'cutoff_timing_difference')
        and trades.transact_id = excused.subject_id
where
    trades.movement_type = 'trade'
    and nets.transact_id is null
    and excused.subject_id is null
union all
select
    'trade' as subject_type,
    trades.transact_id as subject_id,
    'returned, no return or refund entry' as problem
from marts.fct_reconciliation as trades
inner join trade_nets as nets on trades.transact_id = nets.transact_id
left join excused
    on
        excused.subject_type = 'trade'
        and excused.code in ('returned_not_adjusted', 'cutoff_timing_difference')
        and trades.transact_id = excused.subject_id
where
    trades.movement_type = 'trade'
    and trades.effective_status = 'returned'
    and nets.has_return_entry = 0
    and excused.subject_id is null
