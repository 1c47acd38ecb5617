-- One row per event in force, none missing, and the trade that it joins to is a movement.
select
    event_id as event,
    'stands ' || count(*) || ' times' as problem
from marts.fct_events
group by event_id
having count(*) > 1
union all
select
    coalesce(facts.event_id, events.event_id) as event,
    case when facts.event_id is null then 'is not in the fact' else 'is no event in force' end as problem
from marts.fct_events as facts
full outer join intermediate.int_events_in_force as events on facts.event_id = events.event_id
where
    facts.event_id is null
    or events.event_id is null
union all
select
    event_id as event,
    'lacks a value' as problem
from marts.fct_events
where
    status is null
    or received_at is null
    or environment is null
    or partner_id is null
union all
select
    events.event_id as event,
    'joins to ' || events.joined_transact_id || ', which is no movement' as problem
from marts.fct_events as events
left join marts.fct_reconciliation as trades
    on
        trades.movement_type = 'trade'
        and events.joined_transact_id = trades.transact_id
where
    events.joined_transact_id is not null
    and trades.transact_id is null
