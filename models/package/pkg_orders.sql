-- orders.csv: the order export as finance needs it.
with typed as (

    select
        partner_order_id,
        user_reference,
        client_reference,
        environment,
        partner_id,
        stated_pool_id as pool_id,
        stated_side as side,
        quote_id,
        transact_id,
        idempotency_key,
        stated_request_id as request_id,
        product_state,
        created_at,
        updated_at,
        row_checksum
    from {{ ref('int_orders_reconciled') }}

)

select
    partner_order_id,
    user_reference,
    client_reference,
    environment,
    partner_id,
    pool_id,
    side,
    quote_id,
    transact_id,
    idempotency_key,
    request_id,
    product_state,
    {{ pool_recon.timestamp_text('created_at') }} as created_at,
    {{ pool_recon.timestamp_text('updated_at') }} as updated_at,
    created_at as _moment,
    partner_order_id as _sort_1,
    row_checksum as _checksum
from typed
