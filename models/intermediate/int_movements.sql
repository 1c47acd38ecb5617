-- The movements of the close, from all five streams: every trade, every order without one, every accepted quote that
-- neither of them shows. What findings make of them is not told here, because an approval changes it at any time.
with close as (

    select * from {{ ref('int_close') }}

),

trades as (

    select * from {{ pool_recon.at_hand('int_trades_reconciled') }}

),

orders as (

    select * from {{ pool_recon.at_hand('int_orders_reconciled') }}

),

quotes as (

    select * from {{ pool_recon.at_hand('int_quotes_reconciled') }}

),

stated_orders as (

    select * from {{ pool_recon.at_hand('int_orders_in_force') }}

),

movements as (

    select
        transact_id as movement_id,
        'trade' as movement_type,
        environment,
        partner_id,
        named_partner_order_id as partner_order_id,
        partner_order_id as known_partner_order_id,
        pool_id,
        side,
        quote_id,
        known_quote_id,
        transact_id,
        coalesce(idempotency_key, order_idempotency_key) as idempotency_key,
        request_id,
        product_state,
        state_class,
        quote_status,
        true as has_quote_trade,
        status as trade_status,
        effective_status,
        is_terminal,
        source_asset,
        source_amount,
        target_asset,
        target_amount,
        source_net as ledger_source_net,
        target_net as ledger_target_net,
        entry_count as ledger_entry_count,
        ledger_entry_ids,
        last_event_id,
        event_count,
        coalesce(order_created_at, quote_created_at) as created_at,
        quote_created_at,
        accepted_at,
        quote_accepted_at,
        expires_at,
        reserved_at,
        terminal_at
    from trades
    union all
    select
        partner_order_id as movement_id,
        'order' as movement_type,
        environment,
        partner_id,
        partner_order_id,
        partner_order_id as known_partner_order_id,
        pool_id,
        side,
        coalesce(shown_quote_id, quote_id) as quote_id,
        shown_quote_id as known_quote_id,
        cast(null as {{ dbt.type_string() }}) as transact_id,
        idempotency_key,
        request_id,
        product_state,
        state_class,
        shown_quote_status as quote_status,
        has_shown_quote_trade as has_quote_trade,
        cast(null as {{ dbt.type_string() }}) as trade_status,
        cast(null as {{ dbt.type_string() }}) as effective_status,
        false as is_terminal,
        shown_source_asset as source_asset,
        shown_source_amount as source_amount,
        shown_target_asset as target_asset,
        shown_target_amount as target_amount,
        cast(null as {{ pool_recon.money_type() }}) as ledger_source_net,
        cast(null as {{ pool_recon.money_type() }}) as ledger_target_net,
        0 as ledger_entry_count,
        cast(null as {{ dbt.type_string() }}) as ledger_entry_ids,
        cast(null as {{ dbt.type_string() }}) as last_event_id,
        0 as event_count,
        created_at,
        shown_created_at as quote_created_at,
        shown_accepted_at as accepted_at,
        shown_quote_accepted_at as quote_accepted_at,
        shown_expires_at as expires_at,
        cast(null as timestamp) as reserved_at,
        cast(null as timestamp) as terminal_at
    from orders
    where has_no_trade
    union all
    select
        quotes.quote_id as movement_id,
        'quote' as movement_type,
        quotes.environment,
        quotes.partner_id,
        coalesce(quotes.partner_order_id, quotes.stated_partner_order_id) as partner_order_id,
        quotes.partner_order_id as known_partner_order_id,
        quotes.pool_id,
        quotes.side,
        quotes.quote_id,
        quotes.quote_id as known_quote_id,
        cast(null as {{ dbt.type_string() }}) as transact_id,
        stated_orders.idempotency_key,
        quotes.request_id,
        stated_orders.product_state,
        stated_orders.state_class,
        quotes.status as quote_status,
        false as has_quote_trade,
        cast(null as {{ dbt.type_string() }}) as trade_status,
        cast(null as {{ dbt.type_string() }}) as effective_status,
        false as is_terminal,
        quotes.source_asset,
        quotes.source_amount,
        quotes.target_asset,
        quotes.target_amount,
        cast(null as {{ pool_recon.money_type() }}) as ledger_source_net,
        cast(null as {{ pool_recon.money_type() }}) as ledger_target_net,
        0 as ledger_entry_count,
        cast(null as {{ dbt.type_string() }}) as ledger_entry_ids,
        cast(null as {{ dbt.type_string() }}) as last_event_id,
        0 as event_count,
        coalesce(stated_orders.created_at, quotes.created_at) as created_at,
        quotes.created_at as quote_created_at,
        quotes.accepted_at,
        quotes.accepted_at as quote_accepted_at,
        quotes.expires_at,
        cast(null as timestamp) as reserved_at,
        cast(null as timestamp) as terminal_at
    from quotes
    left join stated_orders on quotes.partner_order_id = stated_orders.partner_order_id
    where quotes.is_own_movement

),

clocked as (

    select
        movements.*,
        case
            when movements.known_quote_id is not null
                then {{ pool_recon.quote_status('movements.quote_status', 'movements.has_quote_trade', 'movements.expires_at', 'close.cut_off_at') }}
        end as derived_quote_status,
        case
            when movements.quote_accepted_at is not null then {{ pool_recon.seconds_between('movements.quote_created_at', 'movements.quote_accepted_at') }}
            when movements.has_quote_trade then null
            when movements.expires_at <= close.cut_off_at then {{ pool_recon.seconds_between('movements.quote_created_at', 'movements.expires_at') }}
        end as quote_clock_seconds,
        {{ pool_recon.seconds_between('movements.accepted_at', 'movements.reserved_at') }} as execution_clock_seconds,
        {{ pool_recon.seconds_between('movements.reserved_at', 'movements.terminal_at') }} as settlement_clock_seconds
    from movements
    cross join close

)

select
    movement_id,
    movement_type,
    environment,
    partner_id,
    partner_order_id,
    known_partner_order_id,
    pool_id,
    side,
    quote_id,
    known_quote_id,
    transact_id,
    idempotency_key,
    request_id,
    product_state,
    derived_quote_status as quote_status,
    trade_status,
    effective_status,
    source_asset,
    source_amount,
    target_asset,
    target_amount,
    {{ pool_recon.fiat_of('side', 'source_amount', 'target_amount') }} as fiat_amount,
    {{ pool_recon.crypto_of('side', 'source_amount', 'target_amount') }} as crypto_amount,
    ledger_source_net,
    ledger_target_net,
    cast(ledger_entry_count as integer) as ledger_entry_count,
    ledger_entry_ids,
    last_event_id,
    cast(event_count as integer) as event_count,
    created_at,
    accepted_at,
    expires_at,
    reserved_at,
    terminal_at,
    quote_clock_seconds,
    execution_clock_seconds,
    settlement_clock_seconds,
    case
        when is_terminal then 'matched'
        when transact_id is null and ((derived_quote_status in ('expired', 'rejected') and accepted_at is null) or coalesce(state_class, '') in ('failed', 'abandoned')) then 'lapsed'
        else 'open'
    end as state_without_findings
from clocked
