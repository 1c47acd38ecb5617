{{
    pool_recon.stage_export(
        export_name='funding',
        columns=[
            ('funding_reference', 'id'),
            ('asset', 'id'),
            ('amount', 'amount'),
            ('status', 'funding_status'),
            ('confirmed_at', 'timestamp'),
            ('environment', 'environment'),
            ('partner_id', 'id'),
        ],
        required=['funding_reference', 'asset', 'amount', 'status']
    )
}}
