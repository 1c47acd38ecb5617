{{ config(materialized='view') }}
-- Every event in force at the cut-off, with the trade that it joins to.
select
    event_id,
    joined_transact_id,
    joined_quote_id,
    joined_partner_order_id,
    transact_id,
    quote_id,
    request_id,
    environment,
    partner_id,
    status,
    source,
    signature_result,
    processing_attempts,
    payload_ref,
    is_trusted,
    occurred_at,
    received_at,
    processed_at
from {{ ref('int_events_joined') }}
