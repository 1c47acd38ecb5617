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
    case when facts.event_id is null then 'is not in the fact' when events.event_id is null then 'is no event in force' else 'differs from the event in force, or lacks a value' end as problem
from marts.fct_events as facts
full outer join intermediate.int_events_in_force as events on facts.event_id = events.event_id
where
    facts.event_id is null
    or events.event_id is null
    or facts.status is distinct from events.status
    or facts.received_at is distinct from events.received_at
    or facts.environment is null
    or facts.partner_id is null
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
