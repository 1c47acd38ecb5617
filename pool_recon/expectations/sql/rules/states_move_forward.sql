-- Orders and trades only move forward: no trade skips a legal step or holds a final entry while reserved, and no order contradicts its trade.
with order_trades as (

    select
        trades.partner_order_id,
        min(trades.effective_status) as effective_status,
        min(product_states.state_class) as state_class
    from marts.fct_reconciliation as trades
    inner join intermediate.int_orders_in_force as orders on trades.partner_order_id = orders.partner_order_id
    left join reference.ref_product_states as product_states on orders.product_state = product_states.product_state
    where trades.movement_type = 'trade'
    group by trades.partner_order_id
    having count(*) = 1

)

select
    subject_type,
    subject_id,
    code as problem
from standing_findings
where rule_name = 'states_move_forward'
union all
select
    'trade' as subject_type,
    trades.transact_id as subject_id,
    'from ' || coalesce(trades.trade_status, 'nothing') || ' to ' || coalesce(trades.effective_status, 'nothing') || ' is no legal step' as problem
from marts.fct_reconciliation as trades
left join reference.ref_trade_transitions as steps
    on
        trades.trade_status = steps.from_status
        and trades.effective_status = steps.to_status
where
    trades.movement_type = 'trade'
    and trades.trade_status is distinct from trades.effective_status
    and steps.from_status is null
union all
select
    'trade' as subject_type,
    trades.transact_id as subject_id,
    'still reserved, with a final ledger entry' as problem
from marts.fct_reconciliation as trades
inner join trade_nets as nets on trades.transact_id = nets.transact_id
left join excused
    on
        excused.subject_type = 'trade'
        and excused.code = 'ledger_without_terminal_trade'
        and trades.transact_id = excused.subject_id
where
    trades.movement_type = 'trade'
    and trades.effective_status = 'reserved'
    and nets.has_outcome_entry = 1
    and excused.subject_id is null
union all
select
    'order' as subject_type,
    order_trades.partner_order_id as subject_id,
    order_trades.state_class || ', its trade is ' || order_trades.effective_status as problem
from order_trades
left join excused
    on
        excused.subject_type = 'order'
        and excused.code in ('premature_success', 'product_state_conflict')
        and order_trades.partner_order_id = excused.subject_id
where
    excused.subject_id is null
    and (
        (order_trades.state_class = 'success' and order_trades.effective_status <> 'settled')
        or (order_trades.state_class in ('failed', 'returned', 'abandoned') and order_trades.effective_status = 'settled')
    )
