-- trades.csv: the trade export as finance needs it.
with typed as (

    select
        transact_id,
        quote_id,
        idempotency_key,
        status as current_status,
        effective_status,
        environment,
        partner_id,
        named_partner_order_id as partner_order_id,
        pool_id,
        side,
        fiat_asset,
        {{ pool_recon.fiat_of('side', 'source_amount', 'target_amount') }} as fiat_amount,
        crypto_asset,
        {{ pool_recon.crypto_of('side', 'source_amount', 'target_amount') }} as crypto_amount,
        crypto_network,
        request_id,
        reserved_at,
        terminal_at,
        fiat_minor_unit,
        crypto_minor_unit,
        row_checksum
    from {{ ref('int_trades_reconciled') }}

)

select
    transact_id,
    quote_id,
    idempotency_key,
    current_status,
    effective_status,
    environment,
    partner_id,
    partner_order_id,
    pool_id,
    side,
    fiat_asset,
    {{ pool_recon.amount_text('fiat_amount', 'fiat_minor_unit') }} as fiat_amount,
    crypto_asset,
    {{ pool_recon.amount_text('crypto_amount', 'crypto_minor_unit') }} as crypto_amount,
    crypto_network,
    request_id,
    {{ pool_recon.timestamp_text('reserved_at') }} as reserved_at,
    {{ pool_recon.timestamp_text('terminal_at') }} as terminal_at,
    reserved_at as _moment,
    transact_id as _sort_1,
    row_checksum as _checksum
from typed
