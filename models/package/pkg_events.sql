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
        processed_at
    from {{ ref('fct_events') }}

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
    cast(received_at as date) as _day,
    event_id as _sort_1,
    {{ pool_recon.row_checksum('typed') }} as _checksum
from typed
