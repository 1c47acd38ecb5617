-- Question: which events came more than once, and did they always say the same?
-- How to read it: one row per event id with several deliveries before the cut-off. Deliveries of the same content are one
-- event and harmless; changed_count above 0 means that other content came under the same id, which is a finding
-- (event_conflict). Many deliveries over a long time mean that the endpoint does not acknowledge them.
with close as (

    select * from {{ ref('int_close') }}

),

deliveries as (

    select * from {{ ref('stg_events') }}
    where quarantine_reasons is null

),

events as (

    select * from {{ ref('fct_events') }}

),

counted as (

    select
        deliveries.event_id,
        count(*) as delivery_count,
        count(distinct deliveries.file_id) as file_count,
        sum(case when deliveries.signature_result = 'valid' then 1 else 0 end) as verified_count,
        min(deliveries.received_at) as first_received_at,
        max(deliveries.received_at) as last_received_at
    from deliveries
    cross join close
    where deliveries.received_at < close.cut_off_at
    group by deliveries.event_id
    having count(*) > 1

)

select
    counted.event_id,
    events.joined_transact_id as transact_id,
    events.environment,
    events.partner_id,
    events.status,
    events.source,
    counted.delivery_count,
    counted.file_count,
    counted.delivery_count - 1 - joined_events.other_contents as repeated_count,
    joined_events.other_contents as changed_count,
    counted.verified_count,
    counted.first_received_at,
    counted.last_received_at
from counted
inner join events on counted.event_id = events.event_id
inner join {{ ref('int_events_joined') }} as joined_events on counted.event_id = joined_events.event_id
order by joined_events.other_contents desc, counted.delivery_count desc, counted.event_id asc
