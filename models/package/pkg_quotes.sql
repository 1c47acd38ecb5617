-- quotes.csv: the quote export as finance needs it.
select
    quotes.quote_id,
    quotes.pool_id,
    quotes.partner_order_id,
    quotes.environment,
    quotes.partner_id,
    quotes.quote_type,
    quotes.side,
    quotes.source_asset,
    {{ pool_recon.amount_text('quotes.source_amount', 'source_assets.minor_unit') }} as source_amount,
    quotes.target_asset,
    {{ pool_recon.amount_text('quotes.target_amount', 'target_assets.minor_unit') }} as target_amount,
    {{ pool_recon.amount_text('quotes.rate') }} as rate,
    {{ pool_recon.amount_text('quotes.spread_bps') }} as spread_bps,
    {{ pool_recon.amount_text('quotes.fee_bps') }} as fee_bps,
    quotes.crypto_network,
    quotes.dest_address,
    quotes.dest_network,
    case
        when quotes.status = 'rejected' then 'rejected'
        when quotes.first_transact_id is not null then 'consumed'
        when quotes.expires_at <= close.cut_off_at then 'expired'
        else 'active'
    end as quote_status,
    quotes.stated_request_id as request_id,
    {{ pool_recon.timestamp_text('quotes.created_at') }} as created_at,
    {{ pool_recon.timestamp_text('quotes.expires_at') }} as expires_at,
    {{ pool_recon.timestamp_text('quotes.accepted_at') }} as accepted_at,
    quotes.quote_id as _sort_1
from {{ ref('int_quotes_linked') }} as quotes
cross join {{ ref('int_close') }} as close
left join {{ ref('int_assets') }} as source_assets on quotes.source_asset = source_assets.asset
left join {{ ref('int_assets') }} as target_assets on quotes.target_asset = target_assets.asset
