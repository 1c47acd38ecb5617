with events as (

    select
        *,
        coalesce(occurred_at, received_at) as happened_at
    from {{ pool_recon.at_hand('int_events_joined') }}
    where joined_transact_id is not null

),

trade_states as (

    select * from {{ ref('ref_trade_states') }}

)

select
    events.joined_transact_id as transact_id,
    count(*) as event_count,
    {{ pool_recon.value_at_latest('events.event_id', 'events.happened_at', 'events.event_id') }} as last_event_id,
    -- from reserved, the first terminal confirmation decides; after that only settled may become returned
    {{ pool_recon.value_at_earliest('events.status', 'events.happened_at', 'events.event_id', 'events.is_trusted and trade_states.is_terminal') }} as first_terminal_status,
    max(case when events.is_trusted and events.status = 'settled' then 1 else 0 end) = 1 as is_confirmed_settled,
    max(case when events.is_trusted and events.status = 'failed' then 1 else 0 end) = 1 as is_confirmed_failed,
    max(case when events.is_trusted and events.status = 'released' then 1 else 0 end) = 1 as is_confirmed_released,
    max(case when events.is_trusted and events.status = 'returned' then 1 else 0 end) = 1 as is_confirmed_returned,
    min(case when events.is_trusted and events.status = 'settled' then events.occurred_at end) as first_settled_at,
    min(case when events.is_trusted and events.status = 'returned' then events.occurred_at end) as first_returned_at,
    min(events.stated_environment) as lowest_environment,
    max(events.stated_environment) as highest_environment,
    min(events.stated_partner_id) as lowest_partner_id,
    max(events.stated_partner_id) as highest_partner_id
from events
inner join trade_states on events.status = trade_states.status
group by events.joined_transact_id
