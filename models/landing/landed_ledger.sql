{{ config(enabled=pool_recon.own_sources() | length > 0) }}
{{
    pool_recon.land_export(
        name='ledger',
        required=['ledger_entry_id', 'entry_type', 'asset', 'amount', 'effective_at'],
        exact=['amount', 'balance_after', 'entry_seq']
    )
}}
