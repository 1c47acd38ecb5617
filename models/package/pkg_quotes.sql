-- quotes.csv: the quote export as finance needs it.
select
    quotes.quote_id,
    quotes.pool_id,
    resolved.partner_order_id,
    resolved.environment,
    resolved.partner_id,
    quotes.quote_type,
    resolved.side,
    resolved.source_asset,
    {{ pool_recon.amount_text('quotes.source_amount', 'resolved.source_minor_unit') }} as source_amount,
    resolved.target_asset,
    {{ pool_recon.amount_text('quotes.target_amount', 'resolved.target_minor_unit') }} as target_amount,
    {{ pool_recon.amount_text('quotes.rate') }} as rate,
    {{ pool_recon.amount_text('quotes.spread_bps') }} as spread_bps,
    {{ pool_recon.amount_text('quotes.fee_bps') }} as fee_bps,
    quotes.crypto_network,
    quotes.dest_address,
    quotes.dest_network,
    case
        when quotes.status = 'rejected' then 'rejected'
        when resolved.has_trade then 'consumed'
        when quotes.expires_at <= close.cut_off_at then 'expired'
        else 'active'
    end as quote_status,
    quotes.request_id,
    {{ pool_recon.timestamp_text('quotes.created_at') }} as created_at,
    {{ pool_recon.timestamp_text('quotes.expires_at') }} as expires_at,
    {{ pool_recon.timestamp_text('quotes.accepted_at') }} as accepted_at,
    quotes.quote_id as _sort_1
from {{ ref('int_quotes_in_force') }} as quotes
cross join {{ ref('int_close') }} as close
inner join {{ ref('int_quotes_reconciled') }} as resolved on quotes.quote_id = resolved.quote_id
