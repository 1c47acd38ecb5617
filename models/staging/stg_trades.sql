{{
    pool_recon.stage_export(
        export_name='trades',
        columns=[
            ('transact_id', 'id'),
            ('quote_id', 'id'),
            ('idempotency_key', 'id'),
            ('status', 'trade_status'),
            ('reserved_at', 'timestamp'),
            ('terminal_at', 'timestamp'),
            ('fiat_amount', 'positive_amount'),
            ('crypto_amount', 'positive_amount'),
            ('pool_id', 'id'),
            ('side', 'side'),
            ('environment', 'environment'),
            ('partner_id', 'id'),
            ('partner_order_id', 'id'),
            ('crypto_network', 'id'),
            ('request_id', 'id'),
            ('updated_at', 'timestamp'),
        ],
        required=['transact_id', 'status']
    )
}}
