{{
    pool_recon.stage_export(
        export_name='balances',
        columns=[
            ('asset', 'id'),
            ('balance', 'amount'),
            ('as_of', 'timestamp'),
            ('environment', 'environment'),
            ('partner_id', 'id'),
        ],
        required=['asset', 'balance', 'as_of']
    )
}}
