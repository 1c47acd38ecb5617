{{ config(enabled=pool_recon.has_extra_columns('trades')) }}
{{ pool_recon.extra_columns('trades', ['transact_id']) }}
