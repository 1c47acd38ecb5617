{{ config(enabled=pool_recon.own_sources() | length > 0) }}
{{
    pool_recon.land_export(
        name='funding',
        required=['funding_reference', 'asset', 'amount', 'status'],
        exact=['amount']
    )
}}
