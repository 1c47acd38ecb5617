-- orders.csv: the order export as finance needs it.
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
    {{ pool_recon.timestamp_text('orders.created_at') }} as created_at,
    {{ pool_recon.timestamp_text('orders.updated_at') }} as updated_at,
    orders.partner_order_id as _sort_1
from {{ ref('int_orders_in_force') }} as orders
inner join {{ ref('int_orders_reconciled') }} as resolved on orders.partner_order_id = resolved.partner_order_id
