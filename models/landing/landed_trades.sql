{{ config(enabled=pool_recon.own_sources() | length > 0) }}
{{
    pool_recon.land_export(
        name='trades',
        required=['transact_id', 'quote_id', 'idempotency_key', 'status'],
        exact=['fiat_amount', 'crypto_amount']
    )
}}
