{{ config(materialized='view') }}
-- The reconciliation fact: one row per movement of money, with what its findings make of it.
select
    movements.movement_id,
    movements.movement_type,
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
    cast(movements.quote_clock_seconds as decimal(31, 12)) as quote_clock_seconds,
    cast(movements.execution_clock_seconds as decimal(31, 12)) as execution_clock_seconds,
    cast(movements.settlement_clock_seconds as decimal(31, 12)) as settlement_clock_seconds,
    case
        when findings.has_open_finding then 'exception'
        when findings.has_blocking_finding then 'approved'
        else movements.state_without_findings
    end as reconciliation_state,
    findings.finding_codes
from {{ ref('int_movements') }} as movements
left join {{ ref('int_movements_with_findings') }} as findings
    on
        movements.movement_id = findings.movement_id
        and movements.movement_type = findings.movement_type
