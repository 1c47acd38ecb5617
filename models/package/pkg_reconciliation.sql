-- reconciliation.csv: one row per movement.
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
    {{ pool_recon.amount_text('movements.source_amount', 'source_assets.minor_unit') }} as source_amount,
    movements.target_asset,
    {{ pool_recon.amount_text('movements.target_amount', 'target_assets.minor_unit') }} as target_amount,
    {{ pool_recon.amount_text('movements.fiat_amount', 'fiat_assets.minor_unit') }} as fiat_amount,
    {{ pool_recon.amount_text('movements.crypto_amount', 'crypto_assets.minor_unit') }} as crypto_amount,
    {{ pool_recon.amount_text('movements.ledger_source_net', 'source_assets.minor_unit') }} as ledger_source_net,
    {{ pool_recon.amount_text('movements.ledger_target_net', 'target_assets.minor_unit') }} as ledger_target_net,
    cast(movements.ledger_entry_count as {{ dbt.type_string() }}) as ledger_entry_count,
    movements.ledger_entry_ids,
    movements.last_event_id,
    cast(movements.event_count as {{ dbt.type_string() }}) as event_count,
    {{ pool_recon.timestamp_text('movements.created_at') }} as created_at,
    {{ pool_recon.timestamp_text('movements.accepted_at') }} as accepted_at,
    {{ pool_recon.timestamp_text('movements.expires_at') }} as expires_at,
    {{ pool_recon.timestamp_text('movements.reserved_at') }} as reserved_at,
    {{ pool_recon.timestamp_text('movements.terminal_at') }} as terminal_at,
    {{ pool_recon.amount_text('movements.quote_clock_seconds') }} as quote_clock_seconds,
    {{ pool_recon.amount_text('movements.execution_clock_seconds') }} as execution_clock_seconds,
    {{ pool_recon.amount_text('movements.settlement_clock_seconds') }} as settlement_clock_seconds,
    movements.reconciliation_state,
    movements.finding_codes,
    movements.movement_id as _sort_1,
    movements.movement_type as _sort_2
from {{ ref('fct_reconciliation') }} as movements
left join {{ ref('int_assets') }} as source_assets on movements.source_asset = source_assets.asset
left join {{ ref('int_assets') }} as target_assets on movements.target_asset = target_assets.asset
left join {{ ref('int_assets') }} as fiat_assets
    on case movements.side when 'on_ramp' then movements.source_asset else movements.target_asset end = fiat_assets.asset
left join {{ ref('int_assets') }} as crypto_assets
    on case movements.side when 'on_ramp' then movements.target_asset else movements.source_asset end = crypto_assets.asset
