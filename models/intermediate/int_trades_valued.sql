-- What a trade exchanges: its side, assets and amounts.
with trades as (

    select * from {{ ref('int_trades_in_force') }}

),

links as (

    select * from {{ ref('int_trades_linked') }}

),

quotes as (

    select * from {{ ref('int_quotes_in_force') }}

),

orders as (

    select * from {{ ref('int_orders_in_force') }}

),

sided as (

    select
        trades.transact_id,
        links.known_quote_id,
        links.partner_order_id,
        coalesce(quotes.side, trades.side, orders.side, '{{ pool_recon.default_side() }}') as side,
        quotes.pool_id as quote_pool_id,
        quotes.source_asset as quote_source_asset,
        quotes.target_asset as quote_target_asset,
        quotes.source_amount as quote_source_amount,
        quotes.target_amount as quote_target_amount,
        trades.fiat_amount,
        trades.crypto_amount
    from trades
    inner join links on trades.transact_id = links.transact_id
    left join quotes on links.known_quote_id = quotes.quote_id
    left join orders on links.partner_order_id = orders.partner_order_id

)

select
    transact_id,
    side,
    {{ pool_recon.source_asset('quote_source_asset', 'quote_pool_id', 'side') }} as source_asset,
    {{ pool_recon.target_asset('quote_target_asset', 'quote_pool_id', 'side') }} as target_asset,
    case side when 'on_ramp' then quote_source_amount else quote_target_amount end as quote_fiat_amount,
    case side when 'on_ramp' then quote_target_amount else quote_source_amount end as quote_crypto_amount,
    coalesce(case side when 'on_ramp' then fiat_amount else crypto_amount end, quote_source_amount) as source_amount,
    coalesce(case side when 'on_ramp' then crypto_amount else fiat_amount end, quote_target_amount) as target_amount
from sided
