-- Everything that is known about a quote at the cut-off, on one row.
with close as (

    select * from {{ ref('int_close') }}

),

quotes as (

    select * from {{ ref('int_quotes_in_force') }}

),

links as (

    select * from {{ ref('int_quotes_linked') }}

),

orders as (

    select * from {{ ref('int_orders_reconciled') }}

),

stated_orders as (

    select * from {{ ref('int_orders_in_force') }}

),

trades as (

    select * from {{ ref('int_trades_in_force') }}

),

pools as (

    select * from {{ ref('int_quotes_pooled') }}

),

later_trades as (

    select
        quote_id,
        min(transact_id) as later_transact_id
    from {{ ref('int_trades_later') }}
    where quote_id is not null
    group by quote_id

),

shown_quotes as (

    select distinct shown_quote_id as quote_id
    from orders
    where shown_quote_id is not null

),

dest_address_columns as (

    select count(*) as column_count
    from {{ source('raw', 'file_columns') }} as file_columns
    inner join {{ source('raw', 'files') }} as files on file_columns.file_id = files.file_id
    where
        files.export_name = 'quotes'
        and file_columns.contract_column = 'dest_address'

),

assets as (

    select * from {{ ref('int_assets') }}

),

joined as (

    select
        quotes.quote_id,
        links.partner_order_id,
        links.first_transact_id,
        links.first_transact_id is not null as has_trade,
        shown_quotes.quote_id is not null as is_shown_by_order,
        coalesce(orders.trade_count, 0) > 0 as has_order_other_trade,
        later_trades.later_transact_id is not null as has_later_trade,
        coalesce(quotes.environment, trades.environment, stated_orders.environment, close.default_environment) as environment,
        coalesce(quotes.partner_id, trades.partner_id, stated_orders.partner_id, close.default_partner) as partner_id,
        quotes.pool_id,
        coalesce(trades.request_id, quotes.request_id, stated_orders.request_id) as request_id,
        quotes.quote_type,
        coalesce(quotes.side, trades.side, stated_orders.side, '{{ pool_recon.default_side() }}') as side,
        quotes.source_asset as stated_source_asset,
        quotes.target_asset as stated_target_asset,
        quotes.dest_address,
        dest_address_columns.column_count > 0 as has_dest_address_column,
        quotes.status,
        quotes.source_amount,
        quotes.target_amount,
        quotes.rate,
        quotes.has_changed_terms,
        pools.quote_id is not null as has_pool_check,
        coalesce(pools.has_snapshot, false) as has_snapshot,
        coalesce(pools.is_entitled, true) as is_entitled,
        pools.min_source_amount,
        pools.max_source_amount,
        quotes.created_at,
        quotes.accepted_at,
        links.first_reserved_at,
        quotes.expires_at,
        quotes.row_order
    from quotes
    cross join close
    cross join dest_address_columns
    inner join links on quotes.quote_id = links.quote_id
    left join orders on links.partner_order_id = orders.partner_order_id
    left join stated_orders on links.partner_order_id = stated_orders.partner_order_id
    left join trades on links.first_transact_id = trades.transact_id
    left join pools on quotes.quote_id = pools.quote_id
    left join later_trades on quotes.quote_id = later_trades.quote_id
    left join shown_quotes on quotes.quote_id = shown_quotes.quote_id

),

with_assets as (

    select
        *,
        {{ pool_recon.source_asset('stated_source_asset', 'pool_id', 'side') }} as source_asset,
        {{ pool_recon.target_asset('stated_target_asset', 'pool_id', 'side') }} as target_asset
    from joined

)

select
    with_assets.*,
    source_assets.minor_unit as source_minor_unit,
    source_assets.smallest_amount as smallest_source_amount,
    target_assets.minor_unit as target_minor_unit,
    target_assets.smallest_amount as smallest_target_amount
from with_assets
left join assets as source_assets on with_assets.source_asset = source_assets.asset
left join assets as target_assets on with_assets.target_asset = target_assets.asset
