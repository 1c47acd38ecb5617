{{
    pool_recon.stage_export(
        export_name='pools',
        columns=[
            ('pool_id', 'id'),
            ('seen_at', 'timestamp'),
            ('entitled', 'flag'),
            ('available', 'flag'),
            ('min_source_amount', 'amount'),
            ('max_source_amount', 'amount'),
            ('environment', 'environment'),
            ('partner_id', 'id'),
        ],
        required=['pool_id', 'seen_at']
    )
}}
