{{ config(enabled=pool_recon.own_sources() | length > 0) }}
{{
    pool_recon.land_export(
        name='events',
        required=['event_id', 'transact_id', 'status', 'received_at'],
        exact=[]
    )
}}
