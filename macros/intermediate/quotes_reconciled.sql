{#-
    Everything that is known about a quote at the cut-off, on one row.

    Arguments:
        relation_of: what gives the relation of a model, `ref` for all rows.
-#}
{% macro quotes_reconciled(relation_of) %}
with

sided_quotes as (

    {{ pool_recon.quotes_sided_by_trade(relation_of('int_quotes_linked'), relation_of('int_trades_linked')) }}

),

quotes as (

    select
        quote_id,
        partner_order_id,
        stated_partner_order_id,
        first_transact_id,
        pool_id,
        environment,
        partner_id,
        quote_type,
        movement_side as side,
        dest_address,
        request_id,
        status,
        source_amount,
        target_amount,
        rate,
        other_terms,
        created_at,
        accepted_at,
        first_reserved_at,
        expires_at,
        row_order,
        movement_source_asset as source_asset,
        movement_target_asset as target_asset
    from sided_quotes

),

order_trades as (

    select * from {{ relation_of('int_order_trades') }}

),

pools as (

    select * from {{ relation_of('int_quotes_outside_pools') }}

),

-- Only an accepted quote without a trade can be a movement of its own, unless an order shows it.
open_quotes as (

    select
        quotes.quote_id,
        order_trades.partner_order_id is not null as has_order_other_trade
    from quotes
    left join order_trades on quotes.partner_order_id = order_trades.partner_order_id
    where
        quotes.accepted_at is not null
        and quotes.first_transact_id is null

),

shown_quotes as (

    select distinct shown_quote_id as quote_id
    from {{ relation_of('int_orders_reconciled') }}
    where shown_quote_id is not null

),

later_trades as (

    select distinct quote_id
    from {{ relation_of('int_trades_later') }}
    where quote_id is not null

),

dest_address_columns as (

    select count(*) as column_count
    from {{ pool_recon.landed('file_columns') }} as file_columns
    inner join {{ pool_recon.landed('files') }} as files on file_columns.file_id = files.file_id
    where
        files.export_name = 'quotes'
        and file_columns.contract_column = 'dest_address'

),

assets as (

    select * from {{ ref('int_assets') }}

)

select
    quotes.*,
    quotes.first_transact_id is not null as has_trade,
    open_quotes.quote_id is not null as is_accepted_without_trade,
    open_quotes.quote_id is not null and shown_quotes.quote_id is null as is_own_movement,
    coalesce(open_quotes.has_order_other_trade, false) as has_order_other_trade,
    later_trades.quote_id is not null as has_later_trade,
    dest_address_columns.column_count > 0 as has_dest_address_column,
    pools.quote_id is not null as is_outside_pool,
    coalesce(pools.has_snapshot, false) as has_snapshot,
    coalesce(pools.is_entitled, false) as is_entitled,
    pools.min_source_amount,
    pools.max_source_amount,
    source_assets.minor_unit as source_minor_unit,
    source_assets.smallest_amount as smallest_source_amount,
    target_assets.minor_unit as target_minor_unit,
    target_assets.smallest_amount as smallest_target_amount
from quotes
cross join dest_address_columns
left join open_quotes on quotes.quote_id = open_quotes.quote_id
left join shown_quotes on open_quotes.quote_id = shown_quotes.quote_id
left join pools on quotes.quote_id = pools.quote_id
left join later_trades on quotes.quote_id = later_trades.quote_id
left join assets as source_assets on quotes.source_asset = source_assets.asset
left join assets as target_assets on quotes.target_asset = target_assets.asset
{% endmacro %}
