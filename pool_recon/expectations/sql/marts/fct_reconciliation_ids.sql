-- Every movement is one of a record in force, its last event and its ledger entries are in their facts.
select
    'a trade: ' || movements.movement_id as movement,
    'is no record in force' as problem
from marts.fct_reconciliation as movements
left join intermediate.int_trades_in_force as records on movements.movement_id = records.transact_id
where
    movements.movement_type = 'trade'
    and records.transact_id is null
union all
select
    'a order: ' || movements.movement_id as movement,
    'is no record in force' as problem
from marts.fct_reconciliation as movements
left join intermediate.int_orders_in_force as records on movements.movement_id = records.partner_order_id
where
    movements.movement_type = 'order'
    and records.partner_order_id is null
union all
select
    'a quote: ' || movements.movement_id as movement,
    'is no record in force' as problem
from marts.fct_reconciliation as movements
left join intermediate.int_quotes_in_force as records on movements.movement_id = records.quote_id
where
    movements.movement_type = 'quote'
    and records.quote_id is null
union all
select
    movements.movement_type || ' ' || movements.movement_id as movement,
    'its last event ' || movements.last_event_id || ' is not among the events' as problem
from marts.fct_reconciliation as movements
left join marts.fct_events as events on movements.last_event_id = events.event_id
where
    movements.last_event_id is not null
    and events.event_id is null
