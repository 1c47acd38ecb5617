-- events.csv: the event export as finance needs it.
select
    events.event_id,
    coalesce(events.joined_transact_id, events.transact_id) as transact_id,
    coalesce(events.joined_quote_id, events.quote_id) as quote_id,
    events.environment,
    events.partner_id,
    events.status,
    events.source,
    events.signature_result,
    events.processing_attempts,
    events.payload_ref,
    events.request_id,
    {{ pool_recon.timestamp_text('events.occurred_at') }} as occurred_at,
    {{ pool_recon.timestamp_text('events.received_at') }} as received_at,
    {{ pool_recon.timestamp_text('events.processed_at') }} as processed_at,
    events.event_id as _sort_1
from {{ ref('fct_events') }} as events
