-- Trades state the amounts of their quotes, and their ledger entries add up to what their status demands, to the last digit.
with demands as (

    select
        trades.transact_id,
        trades.source_amount,
        trades.target_amount,
        trades.target_asset,
        trades.ledger_source_net,
        trades.ledger_target_net,
        trades.ledger_entry_count,
        nets.entry_count,
        nets.source_net,
        nets.target_net,
        nets.has_settle_entry,
        states.ledger_source_demand,
        case when states.ledger_target_demand = 'target' then trades.target_amount else 0 end as demanded_target_net,
        trades.source_asset is not null
        and trades.source_amount is not null
        and not (trades.effective_status = 'returned' and nets.has_return_entry = 0) as is_judged
    from marts.fct_reconciliation as trades
    inner join reference.ref_trade_states as states on trades.effective_status = states.status
    left join trade_nets as nets on trades.transact_id = nets.transact_id
    where trades.movement_type = 'trade'

)

select
    subject_type,
    subject_id,
    code as problem
from standing_findings
where rule_name = 'amounts_agree_exactly'
union all
select
    'trade' as subject_type,
    transact_id as subject_id,
    'its ledger entries give a net of ' || coalesce(cast(source_net as varchar), 'nothing') || ' from ' || coalesce(entry_count, 0) || ' entries, the fact says ' || coalesce(cast(ledger_source_net as varchar), 'nothing') || ' from ' || ledger_entry_count as problem
from demands
where
    source_net is distinct from ledger_source_net
    or target_net is distinct from ledger_target_net
    or coalesce(entry_count, 0) is distinct from ledger_entry_count
union all
select
    'trade' as subject_type,
    demands.transact_id as subject_id,
    'its ledger nets ' || coalesce(cast(demands.source_net as varchar), '0') || ' and ' || coalesce(cast(demands.target_net as varchar), '0') || ' are not what its status demands' as problem
from demands
left join excused
    on
        excused.subject_type = 'trade'
        and excused.code in ('ledger_mismatch', 'cutoff_timing_difference')
        and demands.transact_id = excused.subject_id
where
    demands.entry_count > 0
    and demands.is_judged
    and excused.subject_id is null
    and (
        not (
            (demands.ledger_source_demand in ('minus_source', 'zero_or_minus_source') and coalesce(demands.source_net, 0) = -demands.source_amount)
            or (demands.ledger_source_demand in ('zero', 'zero_or_minus_source') and coalesce(demands.source_net, 0) = 0)
        )
        or (
            demands.has_settle_entry = 1
            and demands.target_asset is not null
            and demands.target_amount is not null
            and coalesce(demands.target_net, 0) <> demands.demanded_target_net
        )
    )
union all
select
    'trade' as subject_type,
    trades.transact_id as subject_id,
    'its amounts ' || coalesce(cast(trades.source_amount as varchar), '') || ' and ' || coalesce(cast(trades.target_amount as varchar), '') || ' are not those of its quote' as problem
from marts.fct_reconciliation as trades
inner join intermediate.int_quotes_in_force as quotes on trades.quote_id = quotes.quote_id
left join excused
    on
        excused.subject_type = 'trade'
        and excused.code = 'amount_mismatch'
        and trades.transact_id = excused.subject_id
where
    trades.movement_type = 'trade'
    and excused.subject_id is null
    and (trades.source_amount <> quotes.source_amount or trades.target_amount <> quotes.target_amount)
