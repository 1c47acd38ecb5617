{{ config(enabled=pool_recon.own_sources() | length > 0) }}
{{
    pool_recon.land_export(
        name='orders',
        required=['partner_order_id', 'created_at', 'product_state'],
        exact=[]
    )
}}
