-- One row per movement, and every trade in force is one: its key, environment, partner and state are there.
select
    movement_type || ' ' || movement_id as movement,
    'stands ' || count(*) || ' times' as problem
from marts.fct_reconciliation
group by movement_type, movement_id
having count(*) > 1
union all
select
    coalesce(movement_type, '') || ' ' || coalesce(movement_id, '') as movement,
    'lacks its key, environment, partner, side or state' as problem
from marts.fct_reconciliation
where
    movement_id is null
    or movement_type is null
    or environment is null
    or partner_id is null
    or side is null
    or reconciliation_state is null
    or movement_id is distinct from case movement_type when 'trade' then transact_id when 'order' then partner_order_id when 'quote' then quote_id end
union all
select
    'trades' as movement,
    (select count(*) from intermediate.int_trades_in_force) || ' are in force, ' || (select count(*) from marts.fct_reconciliation where movement_type = 'trade') || ' are movements' as problem
where (select count(*) from intermediate.int_trades_in_force) <> (select count(*) from marts.fct_reconciliation where movement_type = 'trade')
