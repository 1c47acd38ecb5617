{{
    pool_recon.stage_export(
        export_name='events',
        columns=[
            ('event_id', 'id'),
            ('transact_id', 'id'),
            ('status', 'trade_status'),
            ('received_at', 'timestamp'),
            ('quote_id', 'id'),
            ('occurred_at', 'timestamp'),
            ('processed_at', 'timestamp'),
            ('source', 'event_source'),
            ('signature_result', 'signature_result'),
            ('processing_attempts', 'id'),
            ('payload_ref', 'id'),
            ('request_id', 'id'),
            ('environment', 'environment'),
            ('partner_id', 'id'),
        ],
        required=['event_id', 'status', 'received_at'],
        defaults={'source': 'webhook', 'signature_result': 'missing'}
    )
}}
