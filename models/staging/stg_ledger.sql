{{
    pool_recon.stage_export(
        export_name='ledger',
        columns=[
            ('ledger_entry_id', 'id'),
            ('entry_type', 'state'),
            ('asset', 'id'),
            ('amount', 'amount'),
            ('effective_at', 'timestamp'),
            ('transact_id', 'id'),
            ('quote_id', 'id'),
            ('ledger_ref', 'id'),
            ('balance_after', 'stated_balance'),
            ('entry_seq', 'whole_number'),
            ('related_entry_id', 'id'),
            ('funding_reference', 'id'),
            ('environment', 'environment'),
            ('partner_id', 'id'),
            ('request_id', 'id'),
        ],
        required=['ledger_entry_id', 'entry_type', 'asset', 'amount', 'effective_at']
    )
}}
