{{
    pool_recon.stage_export(
        export_name='orders',
        columns=[
            ('partner_order_id', 'id'),
            ('created_at', 'timestamp'),
            ('product_state', 'state'),
            ('user_reference', 'id'),
            ('client_reference', 'id'),
            ('environment', 'environment'),
            ('partner_id', 'id'),
            ('pool_id', 'id'),
            ('side', 'side'),
            ('quote_id', 'id'),
            ('transact_id', 'id'),
            ('idempotency_key', 'id'),
            ('request_id', 'id'),
            ('updated_at', 'timestamp'),
        ],
        required=['partner_order_id', 'created_at', 'product_state']
    )
}}
