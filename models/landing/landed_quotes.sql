{{ config(enabled=pool_recon.own_sources() | length > 0) }}
{{
    pool_recon.land_export(
        name='quotes',
        required=['quote_id', 'pool_id', 'source_amount', 'target_amount', 'expires_at'],
        exact=['source_amount', 'target_amount', 'rate', 'spread_bps', 'fee_bps']
    )
}}
