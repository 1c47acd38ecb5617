{{ config(enabled=pool_recon.has_extra_columns('funding')) }}
{{ pool_recon.extra_columns('funding', ['funding_reference', 'confirmed_at']) }}
