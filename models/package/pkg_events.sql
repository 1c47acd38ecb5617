-- events.csv: the event export as finance needs it.
with typed as (

    select
        event_id,
        coalesce(joined_transact_id, transact_id) as transact_id,
        coalesce(joined_quote_id, quote_id) as quote_id,
        environment,
        partner_id,
        status,
        source,
        signature_result,
        processing_attempts,
        payload_ref,
        request_id,
        occurred_at,
        received_at,
        processed_at,
        row_checksum
    from {{ ref('int_events_joined') }}

)

select
    event_id,
    transact_id,
    quote_id,
    environment,
    partner_id,
    status,
    source,
    signature_result,
    processing_attempts,
    payload_ref,
    request_id,
    {{ pool_recon.timestamp_text('occurred_at') }} as occurred_at,
    {{ pool_recon.timestamp_text('received_at') }} as received_at,
    {{ pool_recon.timestamp_text('processed_at') }} as processed_at,
    received_at as _moment,
    event_id as _sort_1,
    row_checksum as _checksum
from typed
