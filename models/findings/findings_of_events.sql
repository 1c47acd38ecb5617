{{
    pool_recon.raise_findings(
        relation=pool_recon.at_hand('int_events_joined'),
        subject_type='event',
        subject_id='event_id',
        identity={
            'environment': 'environment',
            'partner_id': 'partner_id',
            'partner_order_id': 'joined_partner_order_id',
            'pool_id': 'pool_id',
            'quote_id': 'coalesce(joined_quote_id, quote_id)',
            'transact_id': 'coalesce(joined_transact_id, transact_id)',
            'event_id': 'event_id',
            'request_id': 'request_id',
            'asset': 'source_asset',
            'amount_at_risk': 'source_amount',
            'row_order': 'row_order',
        },
        findings=[
            {
                'code': 'orphan_event',
                'when': 'joined_transact_id is null',
                'expected': "'a trade'",
                'actual': pool_recon.joined_texts(', ', [
                    "coalesce('trade ' || transact_id || ' is unknown', 'no transact_id')",
                    "coalesce('quote ' || quote_id || ' has no trade', 'no quote_id')",
                ]),
            },
            {
                'code': 'unverified_event',
                'when': "source = 'webhook' and signature_result <> 'valid'",
                'expected': "'signature valid'",
                'actual': "'signature ' || signature_result",
            },
            {
                'code': 'event_conflict',
                'when': 'other_contents > 0',
                'expected': "'the content of the first delivery'",
                'actual': "case when other_contents = 1 then 'a later delivery has other content' else 'later deliveries have ' || other_contents || ' other contents' end",
            },
            {
                'code': 'unprocessed_event',
                'when': 'is_trusted and has_processed_at_column and processed_at is null and received_at < processing_limit_at',
                'expected': "'processing within " ~ pool_recon.limit_seconds('processing_limit_seconds') ~ " seconds'",
                'actual': "'unprocessed since ' || " ~ pool_recon.timestamp_text('received_at'),
            },
        ]
    )
}}
