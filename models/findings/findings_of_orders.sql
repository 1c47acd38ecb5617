{{
    pool_recon.raise_findings(
        relation=pool_recon.at_hand('int_orders_reconciled'),
        subject_type='order',
        subject_id='partner_order_id',
        identity={
            'environment': 'environment',
            'partner_id': 'partner_id',
            'partner_order_id': 'partner_order_id',
            'pool_id': 'pool_id',
            'quote_id': 'coalesce(known_quote_id, quote_id)',
            'transact_id': 'coalesce(order_transact_id, transact_id)',
            'request_id': 'request_id',
            'asset': 'coalesce(trade_source_asset, shown_source_asset)',
            'amount_at_risk': 'coalesce(trade_source_amount, shown_source_amount)',
            'row_order': 'row_order',
        },
        findings=[
            {
                'code': 'missing_quote',
                'when': "has_trade_without_quote or (not has_quote and coalesce(state_class, '') <> 'abandoned' and not (coalesce(state_class, '') = 'pending' and created_at >= grace_limit_at))",
                'expected': "'a quote in the quotes export'",
                'actual': "case when has_trade_without_quote then 'trade ' || first_trade_without_quote || ' has no known quote' else coalesce('quote ' || quote_id || ' is unknown', 'no quote') end",
            },
            {
                'code': 'missing_trade',
                'when': "has_no_trade and (shown_accepted_at is not null or accepted_quote_count > 0 or transact_id is not null or coalesce(state_class, '') = 'success')",
                'deferred_when': 'has_later_trade',
                'expected': "'a trade of the order'",
                'actual': pool_recon.joined_texts(', ', [
                    "'none'",
                    "case when shown_accepted_at is not null or accepted_quote_count > 0 then 'quote accepted' end",
                    "'order names trade ' || transact_id",
                    "case when state_class = 'success' then 'product state ' || product_state end",
                ]),
            },
            {
                'code': 'pool_mismatch',
                'when': 'has_no_trade and (coalesce(lowest_pool_id <> highest_pool_id, false) or coalesce(lowest_side <> highest_side, false))',
                'expected': "'one pool and one side'",
                'actual': pool_recon.joined_texts(', ', [
                    "case when lowest_pool_id <> highest_pool_id then lowest_pool_id || ' and ' || highest_pool_id end",
                    "case when lowest_side <> highest_side then lowest_side || ' and ' || highest_side end",
                ]),
            },
            {
                'code': 'environment_mismatch',
                'when': 'has_no_trade and lowest_environment <> highest_environment',
                'expected': "'one environment'",
                'actual': "lowest_environment || ' and ' || highest_environment",
            },
            {
                'code': 'partner_mismatch',
                'when': 'has_no_trade and lowest_partner_id <> highest_partner_id',
                'expected': "'one partner'",
                'actual': "lowest_partner_id || ' and ' || highest_partner_id",
            },
            {
                'code': 'conflicting_link',
                'when': 'names_quote_of_other_order or names_trade_of_other_order or has_trade_of_other_order',
                'expected': "'order, quote and trade that point at one another'",
                'actual': pool_recon.joined_texts(', ', [
                    "case when names_quote_of_other_order then 'quote ' || quote_id || ' names another order' end",
                    "case when names_trade_of_other_order then 'trade ' || transact_id || ' belongs to another order' end",
                    "case when has_trade_of_other_order then 'a trade that names this order has a quote of another' end",
                ]),
            },
            {
                'code': 'premature_success',
                'when': "state_class = 'success' and effective_status = 'reserved'",
                'expected': "'a pending product state while the trade is reserved'",
                'actual': 'product_state',
            },
            {
                'code': 'product_state_conflict',
                'when': "(state_class = 'success' and effective_status in ('failed', 'released', 'returned')) or (state_class in ('failed', 'returned', 'abandoned') and effective_status = 'settled')",
                'expected': "'a product state that says ' || effective_status",
                'actual': 'product_state',
            },
            {
                'code': 'order_state_regression',
                'when': 'has_regressed and not coalesce(last_reserved_at >= last_final_at, false)',
                'expected': "'no way back from a final state without a new trade'",
                'actual': "'pending again after the final state' || coalesce(' of ' || " ~ pool_recon.timestamp_text('last_final_at') ~ ", '')",
            },
            {
                'code': 'unknown_product_state',
                'when': 'state_class is null',
                'expected': "'a product state of the reference data'",
                'actual': 'product_state',
            },
        ]
    )
}}
