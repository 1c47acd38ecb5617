-- orders.csv: the order export as finance needs it.
with typed as (

    select
        orders.partner_order_id,
        orders.user_reference,
        orders.client_reference,
        resolved.environment,
        resolved.partner_id,
        orders.pool_id,
        orders.side,
        orders.quote_id,
        orders.transact_id,
        orders.idempotency_key,
        orders.request_id,
        orders.product_state,
        orders.created_at,
        orders.updated_at
    from {{ ref('int_orders_in_force') }} as orders
    inner join {{ ref('int_orders_reconciled') }} as resolved on orders.partner_order_id = resolved.partner_order_id

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
    {{ pool_recon.row_checksum(['typed']) }} as _checksum
from typed
