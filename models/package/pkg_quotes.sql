-- quotes.csv: the quote export as finance needs it.
with quotes as (

    {{ pool_recon.quotes_sided_by_trade(ref('int_quotes_linked'), ref('int_trades_reconciled')) }}

),

typed as (

    select
        quotes.quote_id,
        quotes.pool_id,
        coalesce(quotes.partner_order_id, quotes.stated_partner_order_id) as partner_order_id,
        quotes.environment,
        quotes.partner_id,
        quotes.quote_type,
        quotes.movement_side as side,
        quotes.movement_source_asset as source_asset,
        quotes.source_amount,
        quotes.movement_target_asset as target_asset,
        quotes.target_amount,
        quotes.rate,
        quotes.spread_bps,
        quotes.fee_bps,
        quotes.crypto_network,
        quotes.dest_address,
        quotes.dest_network,
        {{ pool_recon.quote_status('quotes.status', 'quotes.first_transact_id is not null', 'quotes.expires_at', 'close.cut_off_at') }} as quote_status,
        quotes.stated_request_id as request_id,
        quotes.created_at,
        quotes.expires_at,
        quotes.accepted_at,
        quotes.row_checksum,
        source_assets.minor_unit as source_minor_unit,
        target_assets.minor_unit as target_minor_unit
    from quotes
    cross join {{ ref('int_close') }} as close
    left join {{ ref('int_assets') }} as source_assets on quotes.movement_source_asset = source_assets.asset
    left join {{ ref('int_assets') }} as target_assets on quotes.movement_target_asset = target_assets.asset

)

select
    quote_id,
    pool_id,
    partner_order_id,
    environment,
    partner_id,
    quote_type,
    side,
    source_asset,
    {{ pool_recon.amount_text('source_amount', 'source_minor_unit') }} as source_amount,
    target_asset,
    {{ pool_recon.amount_text('target_amount', 'target_minor_unit') }} as target_amount,
    {{ pool_recon.amount_text('rate') }} as rate,
    {{ pool_recon.amount_text('spread_bps') }} as spread_bps,
    {{ pool_recon.amount_text('fee_bps') }} as fee_bps,
    crypto_network,
    dest_address,
    dest_network,
    quote_status,
    request_id,
    {{ pool_recon.timestamp_text('created_at') }} as created_at,
    {{ pool_recon.timestamp_text('expires_at') }} as expires_at,
    {{ pool_recon.timestamp_text('accepted_at') }} as accepted_at,
    created_at as _moment,
    quote_id as _sort_1,
    {{ pool_recon.row_checksum(['row_checksum', 'quote_status', 'side', 'source_minor_unit', 'target_minor_unit']) }} as _checksum
from typed
