{{ config(enabled=pool_recon.own_sources() | length > 0) }}
{{
    pool_recon.land_export(
        name='pools',
        required=['pool_id', 'seen_at'],
        exact=['min_source_amount', 'max_source_amount']
    )
}}
