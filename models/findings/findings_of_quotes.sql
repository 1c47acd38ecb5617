{{
    pool_recon.raise_findings(
        relation=pool_recon.at_hand('int_quotes_reconciled'),
        subject_type='quote',
        subject_id='quote_id',
        identity={
            'environment': 'environment',
            'partner_id': 'partner_id',
            'partner_order_id': 'coalesce(partner_order_id, stated_partner_order_id)',
            'pool_id': 'pool_id',
            'quote_id': 'quote_id',
            'transact_id': 'first_transact_id',
            'request_id': 'request_id',
            'asset': 'source_asset',
            'amount_at_risk': 'source_amount',
            'row_order': 'row_order',
        },
        findings=[
            {
                'code': 'missing_trade',
                'when': 'is_accepted_without_trade and (partner_order_id is null or has_order_other_trade)',
                'deferred_when': 'has_later_trade',
                'expected': "'a trade of the accepted quote'",
                'actual': "case when partner_order_id is null then 'none' else 'its order has another trade' end",
            },
            {
                'code': 'missing_order',
                'when': 'is_accepted_without_trade and partner_order_id is null',
                'expected': "'a partner order'",
                'actual': "'joins to no order'",
            },
            {
                'code': 'accepted_after_expiry',
                'when': 'coalesce(accepted_at, first_reserved_at) > expires_at',
                'expected': "'acceptance by ' || " ~ pool_recon.timestamp_text('expires_at'),
                'actual': pool_recon.timestamp_text('coalesce(accepted_at, first_reserved_at)'),
            },
            {
                'code': 'delivery_not_locked',
                'when': "has_dest_address_column and quote_type = 'firm' and side = 'on_ramp' and has_trade and dest_address is null",
                'expected': "'a dest_address locked on the quote'",
                'actual': "'none'",
            },
            {
                'code': 'pool_not_entitled',
                'when': 'is_outside_pool and not is_entitled',
                'expected': "'an entitled snapshot of pool ' || pool_id || ' by ' || " ~ pool_recon.timestamp_text('created_at'),
                'actual': "case when has_snapshot then 'entitled false' else 'no snapshot' end",
            },
            {
                'code': 'outside_pool_limits',
                'when': 'is_outside_pool and has_snapshot and (coalesce(source_amount < min_source_amount, false) or coalesce(source_amount > max_source_amount, false))',
                'expected': pool_recon.joined_texts(', ', [
                    "'at least ' || " ~ pool_recon.amount_text('min_source_amount', 'source_minor_unit'),
                    "'at most ' || " ~ pool_recon.amount_text('max_source_amount', 'source_minor_unit'),
                ]),
                'actual': pool_recon.amount_text('source_amount', 'source_minor_unit'),
            },
            {
                'code': 'quote_terms_inconsistent',
                'when': 'rate is not null and smallest_target_amount is not null and ' ~ pool_recon.product_misses('source_amount', 'rate', 'target_amount', 'smallest_target_amount'),
                'expected': pool_recon.amount_text('source_amount', 'source_minor_unit') ~ " || ' x ' || " ~ pool_recon.amount_text('rate'),
                'actual': pool_recon.amount_text('target_amount', 'target_minor_unit'),
            },
            {
                'code': 'quote_terms_changed',
                'when': 'other_terms > 0',
                'expected': "'the terms of the first row'",
                'actual': "case when other_terms = 1 then 'a later row has other terms' else 'later rows have ' || other_terms || ' other sets of terms' end",
            },
            {
                'code': 'excess_precision',
                'when': 'coalesce(source_amount % smallest_source_amount <> 0, false) or coalesce(target_amount % smallest_target_amount <> 0, false)',
                'expected': pool_recon.joined_texts(', ', [
                    "case when source_amount % smallest_source_amount <> 0 then 'at most ' || source_minor_unit || ' decimals of ' || source_asset end",
                    "case when target_amount % smallest_target_amount <> 0 then 'at most ' || target_minor_unit || ' decimals of ' || target_asset end",
                ]),
                'actual': pool_recon.joined_texts(', ', [
                    "case when source_amount % smallest_source_amount <> 0 then " ~ pool_recon.amount_text('source_amount', 'source_minor_unit') ~ " end",
                    "case when target_amount % smallest_target_amount <> 0 then " ~ pool_recon.amount_text('target_amount', 'target_minor_unit') ~ " end",
                ]),
            },
        ]
    )
}}
