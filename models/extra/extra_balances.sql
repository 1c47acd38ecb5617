{{ config(enabled=pool_recon.has_extra_columns('balances')) }}
{{ pool_recon.extra_columns('balances', ['environment', 'partner_id', 'asset', 'as_of']) }}
