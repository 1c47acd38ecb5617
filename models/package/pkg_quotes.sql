-- quotes.csv: the quote export as finance needs it.
with sides_of_trades as (

    {{ pool_recon.quotes_sided_by_trade(ref('int_quotes_linked'), ref('int_trades_reconciled')) }}

),

quotes as (

    select
        linked_quotes.*,
        coalesce(sides_of_trades.side, linked_quotes.side) as shown_side,
        case
            when sides_of_trades.side is null then linked_quotes.source_asset
            else sides_of_trades.source_asset
        end as shown_source_asset,
        case
            when sides_of_trades.side is null then linked_quotes.target_asset
            else sides_of_trades.target_asset
        end as shown_target_asset
    from {{ ref('int_quotes_linked') }} as linked_quotes
    left join sides_of_trades on linked_quotes.quote_id = sides_of_trades.quote_id

),

typed as (

    select
        quotes.quote_id,
        quotes.pool_id,
        coalesce(quotes.partner_order_id, quotes.stated_partner_order_id) as partner_order_id,
        quotes.environment,
        quotes.partner_id,
        quotes.quote_type,
        quotes.shown_side as side,
        quotes.shown_source_asset as source_asset,
        quotes.source_amount,
        quotes.shown_target_asset as target_asset,
        quotes.target_amount,
        quotes.rate,
        quotes.spread_bps,
        quotes.fee_bps,
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
        quotes.created_at,
        quotes.expires_at,
        quotes.accepted_at,
        quotes.row_checksum,
        source_assets.minor_unit as source_minor_unit,
        target_assets.minor_unit as target_minor_unit
    from quotes
    cross join {{ ref('int_close') }} as close
    left join {{ ref('int_assets') }} as source_assets on quotes.shown_source_asset = source_assets.asset
    left join {{ ref('int_assets') }} as target_assets on quotes.shown_target_asset = target_assets.asset

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
