{{
    pool_recon.stage_export(
        export_name='quotes',
        columns=[
            ('quote_id', 'id'),
            ('pool_id', 'id'),
            ('source_amount', 'positive_amount'),
            ('target_amount', 'positive_amount'),
            ('expires_at', 'timestamp'),
            ('partner_order_id', 'id'),
            ('environment', 'environment'),
            ('partner_id', 'id'),
            ('quote_type', 'quote_type'),
            ('side', 'side'),
            ('source_asset', 'id'),
            ('target_asset', 'id'),
            ('rate', 'amount'),
            ('spread_bps', 'amount'),
            ('fee_bps', 'amount'),
            ('crypto_network', 'id'),
            ('dest_address', 'id'),
            ('dest_network', 'id'),
            ('created_at', 'timestamp'),
            ('accepted_at', 'timestamp'),
            ('status', 'quote_status'),
            ('request_id', 'id'),
        ],
        required=['quote_id', 'pool_id', 'source_amount', 'target_amount', 'expires_at'],
        defaults={'quote_type': 'firm'}
    )
}}
