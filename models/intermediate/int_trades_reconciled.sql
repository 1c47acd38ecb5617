-- Everything that is known about a trade at the cut-off, from all five streams, on one row.
with close as (

    select * from {{ ref('int_close') }}

),

-- What the trusted events of a trade tell of its end: the first outcome, and what may come after it.
confirmations as (

    select
        *,
        case
            when first_terminal_status = 'settled' and is_confirmed_returned then 'returned'
            else first_terminal_status
        end as confirmed_status
    from {{ pool_recon.at_hand('int_trade_confirmations') }}

),

postings as (

    select * from {{ pool_recon.at_hand('int_trade_postings') }}

),

later_confirmations as (

    select
        transact_id,
        max(case when status = 'settled' then 1 else 0 end) = 1 as is_confirmed_settled,
        max(case when status = 'failed' then 1 else 0 end) = 1 as is_confirmed_failed,
        max(case when status = 'released' then 1 else 0 end) = 1 as is_confirmed_released,
        max(case when status = 'returned' then 1 else 0 end) = 1 as is_confirmed_returned
    from {{ pool_recon.at_hand('int_trade_later_confirmations') }}
    group by transact_id

),

later_postings as (

    select * from {{ pool_recon.at_hand('int_trade_later_postings') }}

),

trade_states as (

    select * from {{ ref('ref_trade_states') }}

),

assets as (

    select * from {{ ref('int_assets') }}

),

-- The first trade of each quote and of each idempotency key that has several.
repeated_quotes as (

    select
        quote_id,
        transact_id
    from {{ pool_recon.at_hand('int_quote_trades') }}
    where trade_count > 1

),

keyed_trades as (

    select
        coalesce(trades.stated_environment, close.default_environment) as environment,
        coalesce(trades.stated_partner_id, close.default_partner) as partner_id,
        trades.idempotency_key,
        trades.transact_id,
        trades.reserved_at
    from {{ pool_recon.at_hand('int_trades_linked') }} as trades
    cross join close
    where trades.idempotency_key is not null

),

-- To count comes first: nearly every key has one trade, and the first of several need not be kept in mind for all of them.
keys_of_several as (

    select
        environment,
        partner_id,
        idempotency_key
    from keyed_trades
    group by environment, partner_id, idempotency_key
    having count(*) > 1

),

repeated_keys as (

    select
        keyed_trades.environment,
        keyed_trades.partner_id,
        keyed_trades.idempotency_key,
        {{ pool_recon.value_at_earliest('keyed_trades.transact_id', pool_recon.absent_last('keyed_trades.reserved_at'), 'keyed_trades.transact_id') }} as transact_id
    from keyed_trades
    inner join keys_of_several
        on
            keyed_trades.environment = keys_of_several.environment
            and keyed_trades.partner_id = keys_of_several.partner_id
            and keyed_trades.idempotency_key = keys_of_several.idempotency_key
    group by keyed_trades.environment, keyed_trades.partner_id, keyed_trades.idempotency_key

),

joined as (

    select
        trades.transact_id,
        trades.quote_id,
        trades.known_quote_id,
        trades.partner_order_id,
        trades.named_partner_order_id,
        trades.idempotency_key,
        trades.order_idempotency_key,
        coalesce(trades.stated_environment, close.default_environment) as environment,
        coalesce(trades.stated_partner_id, close.default_partner) as partner_id,
        trades.pool_id,
        trades.request_id,
        trades.crypto_network,
        trades.quote_crypto_network,
        trades.quote_type,
        trades.side,
        trades.product_state,
        trades.state_class,
        -- as it stood: from the trade, else from what its trusted events had told by then
        coalesce(trades.status, confirmations.confirmed_status, 'reserved') as status,
        case
            when trades.status = 'settled' and confirmations.is_confirmed_returned then 'returned'
            when trades.status <> 'reserved' then trades.status
            else coalesce(confirmations.confirmed_status, 'reserved')
        end as effective_status,
        trades.source_asset,
        trades.source_amount,
        trades.target_asset,
        trades.target_amount,
        trades.fiat_amount,
        trades.crypto_amount,
        trades.quote_fiat_amount,
        trades.quote_crypto_amount,
        {{ pool_recon.fiat_of('trades.side', 'trades.source_asset', 'trades.target_asset') }} as fiat_asset,
        {{ pool_recon.crypto_of('trades.side', 'trades.source_asset', 'trades.target_asset') }} as crypto_asset,
        trades.differing_pools,
        trades.differing_sides,
        trades.differing_environments,
        trades.differing_partners,
        {{ pool_recon.lowest_of(['trades.lowest_environment', 'confirmations.lowest_environment', 'postings.lowest_environment']) }} as lowest_environment,
        {{ pool_recon.highest_of(['trades.highest_environment', 'confirmations.highest_environment', 'postings.highest_environment']) }} as highest_environment,
        {{ pool_recon.lowest_of(['trades.lowest_partner_id', 'confirmations.lowest_partner_id', 'postings.lowest_partner_id']) }} as lowest_partner_id,
        {{ pool_recon.highest_of(['trades.highest_partner_id', 'confirmations.highest_partner_id', 'postings.highest_partner_id']) }} as highest_partner_id,
        coalesce(trades.transact_id <> repeated_quotes.transact_id, false) as repeats_quote,
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
        trades.times_gone_back,
        trades.quote_status,
        trades.order_created_at,
        trades.quote_created_at,
        trades.accepted_at,
        trades.quote_accepted_at,
        trades.expires_at,
        trades.reserved_at,
        trades.terminal_at,
        confirmations.first_settled_at,
        confirmations.first_returned_at,
        trades.row_order
    from {{ pool_recon.at_hand('int_trades_linked') }} as trades
    cross join close
    left join confirmations on trades.transact_id = confirmations.transact_id
    left join postings on trades.transact_id = postings.transact_id
    left join later_confirmations on trades.transact_id = later_confirmations.transact_id
    left join later_postings on trades.transact_id = later_postings.transact_id
    left join repeated_quotes on trades.quote_id = repeated_quotes.quote_id

),

compared as (

    select
        joined.*,
        coalesce(joined.transact_id <> repeated_keys.transact_id, false) as repeats_idempotency_key
    from joined
    left join repeated_keys
        on
            joined.environment = repeated_keys.environment
            and joined.partner_id = repeated_keys.partner_id
            and joined.idempotency_key = repeated_keys.idempotency_key

),

reconciled as (

    select
        compared.*,
        effective_states.is_terminal,
        own_states.is_terminal as is_own_status_terminal,
        effective_states.requires_ledger_entry,
        case effective_states.ledger_source_demand
            when 'zero' then cast(0 as {{ pool_recon.money_type() }})
            else -compared.source_amount
        end as demanded_source_net,
        effective_states.ledger_source_demand = 'zero_or_minus_source' as may_have_no_source_net,
        case effective_states.ledger_target_demand
            when 'zero' then cast(0 as {{ pool_recon.money_type() }})
            else compared.target_amount
        end as demanded_target_net,
        fiat_assets.minor_unit as fiat_minor_unit,
        fiat_assets.smallest_amount as smallest_fiat_amount,
        crypto_assets.minor_unit as crypto_minor_unit,
        crypto_assets.smallest_amount as smallest_crypto_amount
    from compared
    inner join trade_states as effective_states on compared.effective_status = effective_states.status
    inner join trade_states as own_states on compared.status = own_states.status
    left join assets as fiat_assets on compared.fiat_asset = fiat_assets.asset
    left join assets as crypto_assets on compared.crypto_asset = crypto_assets.asset

)

select
    reconciled.*,
    {{ pool_recon.row_checksum(['reconciled']) }} as row_checksum
from reconciled
