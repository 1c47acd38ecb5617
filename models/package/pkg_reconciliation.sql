-- reconciliation.csv: one row per movement.
with typed as (

    select
        movements.movement_id,
        movements.environment,
        movements.partner_id,
        movements.partner_order_id,
        movements.pool_id,
        movements.side,
        movements.quote_id,
        movements.transact_id,
        movements.idempotency_key,
        movements.request_id,
        movements.product_state,
        movements.quote_status,
        movements.trade_status,
        movements.effective_status,
        movements.source_asset,
        movements.source_amount,
        movements.target_asset,
        movements.target_amount,
        movements.fiat_amount,
        movements.crypto_amount,
        movements.ledger_source_net,
        movements.ledger_target_net,
        movements.ledger_entry_count,
        movements.ledger_entry_ids,
        movements.last_event_id,
        movements.event_count,
        movements.created_at,
        movements.accepted_at,
        movements.expires_at,
        movements.reserved_at,
        movements.terminal_at,
        movements.quote_clock_seconds,
        movements.execution_clock_seconds,
        movements.settlement_clock_seconds,
        movements.reconciliation_state,
        movements.finding_codes,
        movements.movement_type,
        source_assets.minor_unit as source_minor_unit,
        target_assets.minor_unit as target_minor_unit,
        fiat_assets.minor_unit as fiat_minor_unit,
        crypto_assets.minor_unit as crypto_minor_unit
    from {{ ref('fct_reconciliation') }} as movements
    left join {{ ref('int_assets') }} as source_assets on movements.source_asset = source_assets.asset
    left join {{ ref('int_assets') }} as target_assets on movements.target_asset = target_assets.asset
    left join {{ ref('int_assets') }} as fiat_assets
        on {{ pool_recon.fiat_of('movements.side', 'movements.source_asset', 'movements.target_asset') }} = fiat_assets.asset
    left join {{ ref('int_assets') }} as crypto_assets
        on {{ pool_recon.crypto_of('movements.side', 'movements.source_asset', 'movements.target_asset') }} = crypto_assets.asset

)

select
    movement_id,
    environment,
    partner_id,
    partner_order_id,
    pool_id,
    side,
    quote_id,
    transact_id,
    idempotency_key,
    request_id,
    product_state,
    quote_status,
    trade_status,
    effective_status,
    source_asset,
    {{ pool_recon.amount_text('source_amount', 'source_minor_unit') }} as source_amount,
    target_asset,
    {{ pool_recon.amount_text('target_amount', 'target_minor_unit') }} as target_amount,
    {{ pool_recon.amount_text('fiat_amount', 'fiat_minor_unit') }} as fiat_amount,
    {{ pool_recon.amount_text('crypto_amount', 'crypto_minor_unit') }} as crypto_amount,
    {{ pool_recon.amount_text('ledger_source_net', 'source_minor_unit') }} as ledger_source_net,
    {{ pool_recon.amount_text('ledger_target_net', 'target_minor_unit') }} as ledger_target_net,
    cast(ledger_entry_count as {{ dbt.type_string() }}) as ledger_entry_count,
    ledger_entry_ids,
    last_event_id,
    cast(event_count as {{ dbt.type_string() }}) as event_count,
    {{ pool_recon.timestamp_text('created_at') }} as created_at,
    {{ pool_recon.timestamp_text('accepted_at') }} as accepted_at,
    {{ pool_recon.timestamp_text('expires_at') }} as expires_at,
    {{ pool_recon.timestamp_text('reserved_at') }} as reserved_at,
    {{ pool_recon.timestamp_text('terminal_at') }} as terminal_at,
    {{ pool_recon.amount_text('quote_clock_seconds') }} as quote_clock_seconds,
    {{ pool_recon.amount_text('execution_clock_seconds') }} as execution_clock_seconds,
    {{ pool_recon.amount_text('settlement_clock_seconds') }} as settlement_clock_seconds,
    reconciliation_state,
    finding_codes,
    created_at as _moment,
    movement_id as _sort_1,
    movement_type as _sort_2,
    -- a hash of a wide number folds its halves: those of a number and of its opposite are not alike in both
    {{ pool_recon.row_checksum([
        'typed', '-source_amount', '-target_amount', '-fiat_amount', '-crypto_amount', '-ledger_source_net', '-ledger_target_net',
        '-quote_clock_seconds', '-execution_clock_seconds', '-settlement_clock_seconds',
    ]) }} as _checksum
from typed
