-- trades.csv: the trade export as finance needs it.
select
    trades.transact_id,
    trades.quote_id,
    trades.idempotency_key,
    trades.status as current_status,
    trades.effective_status,
    trades.environment,
    trades.partner_id,
    trades.partner_order_id,
    trades.pool_id,
    trades.side,
    trades.fiat_asset,
    {{ pool_recon.amount_text('case trades.side when \'on_ramp\' then trades.source_amount else trades.target_amount end', 'trades.fiat_minor_unit') }} as fiat_amount,
    trades.crypto_asset,
    {{ pool_recon.amount_text('case trades.side when \'on_ramp\' then trades.target_amount else trades.source_amount end', 'trades.crypto_minor_unit') }} as crypto_amount,
    trades.crypto_network,
    trades.request_id,
    {{ pool_recon.timestamp_text('trades.reserved_at') }} as reserved_at,
    {{ pool_recon.timestamp_text('trades.terminal_at') }} as terminal_at,
    trades.transact_id as _sort_1
from {{ ref('int_trades_reconciled') }} as trades
