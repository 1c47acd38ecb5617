-- Everything that is known about a trade at the cut-off, from all five streams, on one row.
with close as (

    select * from {{ ref('int_close') }}

),

trades as (

    select * from {{ ref('int_trades_in_force') }}

),

links as (

    select * from {{ ref('int_trades_linked') }}

),

valued_trades as (

    select * from {{ ref('int_trades_valued') }}

),

quotes as (

    select * from {{ ref('int_quotes_in_force') }}

),

orders as (

    select * from {{ ref('int_orders_in_force') }}

),

confirmations as (

    select * from {{ ref('int_trade_confirmations') }}

),

postings as (

    select * from {{ ref('int_trade_postings') }}

),

later_confirmations as (

    select
        transact_id,
        max(case when status = 'settled' then 1 else 0 end) = 1 as is_confirmed_settled,
        max(case when status = 'failed' then 1 else 0 end) = 1 as is_confirmed_failed,
        max(case when status = 'released' then 1 else 0 end) = 1 as is_confirmed_released,
        max(case when status = 'returned' then 1 else 0 end) = 1 as is_confirmed_returned
    from {{ ref('int_trade_later_confirmations') }}
    group by transact_id

),

later_postings as (

    select * from {{ ref('int_trade_later_postings') }}

),

assets as (

    select * from {{ ref('int_assets') }}

),

joined as (

    select
        trades.transact_id,
        trades.quote_id,
        links.known_quote_id,
        links.partner_order_id,
        coalesce(links.partner_order_id, quotes.partner_order_id, trades.partner_order_id) as named_partner_order_id,
        links.is_trade_of_order,
        links.rank_of_quote,
        trades.idempotency_key,
        orders.idempotency_key as order_idempotency_key,
        coalesce(trades.environment, quotes.environment, orders.environment, close.default_environment) as environment,
        coalesce(trades.partner_id, quotes.partner_id, orders.partner_id, close.default_partner) as partner_id,
        coalesce(quotes.pool_id, trades.pool_id, orders.pool_id) as pool_id,
        coalesce(trades.request_id, quotes.request_id, orders.request_id) as request_id,
        trades.crypto_network,
        quotes.crypto_network as quote_crypto_network,
        quotes.quote_type,
        valued_trades.side,
        orders.product_state,
        orders.state_class,
        -- as it stood: from the trade, else from what its trusted events had told by then
        coalesce(
            trades.status,
            case
                when confirmations.first_terminal_status = 'settled' and confirmations.is_confirmed_returned then 'returned'
                else confirmations.first_terminal_status
            end,
            'reserved'
        ) as status,
        confirmations.first_terminal_status,
        valued_trades.source_asset,
        valued_trades.source_amount,
        valued_trades.target_asset,
        valued_trades.target_amount,
        trades.fiat_amount,
        trades.crypto_amount,
        valued_trades.quote_fiat_amount,
        valued_trades.quote_crypto_amount,
        case valued_trades.side when 'on_ramp' then valued_trades.source_asset else valued_trades.target_asset end as fiat_asset,
        case valued_trades.side when 'on_ramp' then valued_trades.target_asset else valued_trades.source_asset end as crypto_asset,
        -- what order, quote and trade state themselves, for the comparison of pools, sides, environments and partners
        least(orders.pool_id, quotes.pool_id, trades.pool_id) as lowest_pool_id,
        greatest(orders.pool_id, quotes.pool_id, trades.pool_id) as highest_pool_id,
        least(orders.side, quotes.side, trades.side) as lowest_side,
        greatest(orders.side, quotes.side, trades.side) as highest_side,
        least(orders.environment, quotes.environment, trades.environment, confirmations.lowest_environment, postings.lowest_environment) as lowest_environment,
        greatest(orders.environment, quotes.environment, trades.environment, confirmations.highest_environment, postings.highest_environment) as highest_environment,
        least(orders.partner_id, quotes.partner_id, trades.partner_id, confirmations.lowest_partner_id, postings.lowest_partner_id) as lowest_partner_id,
        greatest(orders.partner_id, quotes.partner_id, trades.partner_id, confirmations.highest_partner_id, postings.highest_partner_id) as highest_partner_id,
        coalesce(postings.entry_count, 0) as entry_count,
        postings.ledger_entry_ids,
        postings.source_net,
        postings.target_net,
        coalesce(postings.has_settle_entry, false) as has_settle_entry,
        coalesce(postings.has_return_entry, false) as has_return_entry,
        coalesce(postings.has_outcome_entry, false) as has_outcome_entry,
        later_postings.transact_id is not null as has_later_entry,
        later_postings.source_net as later_source_net,
        later_postings.target_net as later_target_net,
        coalesce(later_postings.has_settle_entry, false) as has_later_settle_entry,
        coalesce(later_postings.has_return_entry, false) as has_later_return_entry,
        coalesce(confirmations.event_count, 0) as event_count,
        confirmations.last_event_id,
        coalesce(confirmations.is_confirmed_settled, false) as is_confirmed_settled,
        coalesce(confirmations.is_confirmed_failed, false) as is_confirmed_failed,
        coalesce(confirmations.is_confirmed_released, false) as is_confirmed_released,
        coalesce(confirmations.is_confirmed_returned, false) as is_confirmed_returned,
        coalesce(later_confirmations.is_confirmed_settled, false) as is_later_confirmed_settled,
        coalesce(later_confirmations.is_confirmed_failed, false) as is_later_confirmed_failed,
        coalesce(later_confirmations.is_confirmed_released, false) as is_later_confirmed_released,
        coalesce(later_confirmations.is_confirmed_returned, false) as is_later_confirmed_returned,
        trades.has_settled_version,
        trades.has_failed_version,
        trades.has_released_version,
        trades.has_returned_version,
        trades.has_gone_back,
        quotes.status as quote_status,
        orders.created_at as order_created_at,
        quotes.created_at as quote_created_at,
        quotes.accepted_at,
        quotes.expires_at,
        trades.reserved_at,
        trades.terminal_at,
        confirmations.first_settled_at,
        confirmations.first_returned_at,
        orders.row_order as order_row_order,
        quotes.row_order as quote_row_order,
        trades.row_order
    from trades
    cross join close
    inner join links on trades.transact_id = links.transact_id
    inner join valued_trades on trades.transact_id = valued_trades.transact_id
    left join quotes on links.known_quote_id = quotes.quote_id
    left join orders on links.partner_order_id = orders.partner_order_id
    left join confirmations on trades.transact_id = confirmations.transact_id
    left join postings on trades.transact_id = postings.transact_id
    left join later_confirmations on trades.transact_id = later_confirmations.transact_id
    left join later_postings on trades.transact_id = later_postings.transact_id

),

effective as (

    select
        *,
        case
            when status = 'settled' and is_confirmed_returned then 'returned'
            when status <> 'reserved' then status
            when first_terminal_status = 'settled' and is_confirmed_returned then 'returned'
            else coalesce(first_terminal_status, 'reserved')
        end as effective_status,
        -- its place among the trades with the same key of one partner, 1 being the earliest
        case
            when idempotency_key is not null
                then row_number() over (
                    partition by environment, partner_id, idempotency_key
                    order by reserved_at nulls last, transact_id
                )
        end as rank_of_idempotency_key
    from joined

)

select
    effective.*,
    trade_states.is_terminal,
    own_states.is_terminal as is_own_status_terminal,
    trade_states.requires_ledger_entry,
    case trade_states.ledger_source_demand
        when 'zero' then cast(0 as {{ pool_recon.money_type() }})
        else -effective.source_amount
    end as demanded_source_net,
    trade_states.ledger_source_demand = 'zero_or_minus_source' as may_have_no_source_net,
    case trade_states.ledger_target_demand
        when 'zero' then cast(0 as {{ pool_recon.money_type() }})
        else effective.target_amount
    end as demanded_target_net,
    fiat_assets.minor_unit as fiat_minor_unit,
    fiat_assets.smallest_amount as smallest_fiat_amount,
    crypto_assets.minor_unit as crypto_minor_unit,
    crypto_assets.smallest_amount as smallest_crypto_amount
from effective
inner join {{ ref('ref_trade_states') }} as trade_states on effective.effective_status = trade_states.status
inner join {{ ref('ref_trade_states') }} as own_states on effective.status = own_states.status
left join assets as fiat_assets on effective.fiat_asset = fiat_assets.asset
left join assets as crypto_assets on effective.crypto_asset = crypto_assets.asset
