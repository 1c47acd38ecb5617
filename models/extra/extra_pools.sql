{{ config(enabled=pool_recon.has_extra_columns('pools')) }}
{{ pool_recon.extra_columns('pools', ['environment', 'partner_id', 'pool_id', 'seen_at']) }}
