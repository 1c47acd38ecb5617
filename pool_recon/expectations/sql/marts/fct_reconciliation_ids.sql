-- Every movement is one of a record in force, its last event and its ledger entries are in their facts.
select
    movements.movement_type || ' ' || movements.movement_id as movement,
    'is no record in force' as problem
from marts.fct_reconciliation as movements
left join intermediate.int_trades_in_force as trades
    on
        movements.movement_type = 'trade'
        and movements.movement_id = trades.transact_id
left join intermediate.int_orders_in_force as orders
    on
        movements.movement_type = 'order'
        and movements.movement_id = orders.partner_order_id
left join intermediate.int_quotes_in_force as quotes
    on
        movements.movement_type = 'quote'
        and movements.movement_id = quotes.quote_id
where
    trades.transact_id is null
    and orders.partner_order_id is null
    and quotes.quote_id is null
union all
select
    movements.movement_type || ' ' || movements.movement_id as movement,
    'its last event ' || movements.last_event_id || ' is not among the events' as problem
from marts.fct_reconciliation as movements
left join marts.fct_events as events on movements.last_event_id = events.event_id
where
    movements.last_event_id is not null
    and events.event_id is null
