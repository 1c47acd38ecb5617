-- Every ledger entry that needs a trade joins to one that has a quote and an order, or it is approved.
with lacking_trades as (

    select
        nets.transact_id,
        case when trades.transact_id is null then 'no trade' when quotes.quote_id is null then 'no quote' else 'no order' end as problem
    from trade_nets as nets
    left join marts.fct_reconciliation as trades
        on
            trades.movement_type = 'trade'
            and nets.transact_id = trades.transact_id
    left join intermediate.int_quotes_in_force as quotes on trades.quote_id = quotes.quote_id
    left join intermediate.int_orders_in_force as orders on trades.partner_order_id = orders.partner_order_id
    where
        quotes.quote_id is null
        or orders.partner_order_id is null

),

lacking_entries as (

    select
        ledger_entry_id,
        'no trade' as problem
    from classed_entries
    where
        needs_trade
        and joined_transact_id is null
    union all
    select
        entries.ledger_entry_id,
        lacking_trades.problem
    from classed_entries as entries
    inner join lacking_trades on entries.joined_transact_id = lacking_trades.transact_id
    where entries.needs_trade

)

select
    subject_type,
    subject_id,
    code as problem
from standing_findings
where rule_name = 'ledger_entries_join'
union all
select
    'ledger_entry' as subject_type,
    lacking_entries.ledger_entry_id as subject_id,
    lacking_entries.problem
from lacking_entries
left join excused
    on
        excused.code = 'orphan_ledger_entry'
        and lacking_entries.ledger_entry_id = excused.subject_id
where excused.subject_id is null
