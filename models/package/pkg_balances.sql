-- balances.csv: the roll-forward of each balance over the close date.
select
    balances.environment,
    balances.partner_id,
    balances.asset,
    {{ pool_recon.amount_text('balances.opening', 'assets.minor_unit') }} as opening,
    {{ pool_recon.amount_text('balances.funding', 'assets.minor_unit') }} as funding,
    {{ pool_recon.amount_text('balances.debits', 'assets.minor_unit') }} as debits,
    {{ pool_recon.amount_text('balances.refunds', 'assets.minor_unit') }} as refunds,
    {{ pool_recon.amount_text('balances.returns', 'assets.minor_unit') }} as returns,
    {{ pool_recon.amount_text('balances.fees', 'assets.minor_unit') }} as fees,
    {{ pool_recon.amount_text('balances.adjustments', 'assets.minor_unit') }} as adjustments,
    {{ pool_recon.amount_text('balances.closing', 'assets.minor_unit') }} as closing,
    {{ pool_recon.amount_text('balances.reported_balance', 'assets.minor_unit') }} as reported_balance,
    balances.reported_as_of as _reported_as_of,
    balances.has_balance_mismatch as _has_balance_mismatch,
    balances.environment as _sort_1,
    balances.partner_id as _sort_2,
    balances.asset as _sort_3
from {{ ref('fct_balances') }} as balances
left join {{ ref('int_assets') }} as assets on balances.asset = assets.asset
