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
                'when': "trades_without_quote is not null or (not has_quote and coalesce(state_class, '') <> 'abandoned' and not (coalesce(state_class, '') = 'pending' and created_at >= grace_limit_at))",
                'expected': "'a quote in the quotes export'",
                'actual': "coalesce('no known quote of trade ' || trades_without_quote, 'quote ' || quote_id || ' is unknown', 'no quote')",
            },
            {
                'code': 'missing_trade',
                'when': "has_no_trade and (accepted_quote_ids is not null or transact_id is not null or coalesce(state_class, '') = 'success')",
                'deferred_when': 'has_later_trade',
                'expected': "'a trade of the order'",
                'actual': pool_recon.joined_texts(', ', [
                    "'none'",
                    "'accepted quote ' || accepted_quote_ids",
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
                ]) ~ " || ' with quote ' || shown_quote_id",
            },
            {
                'code': 'environment_mismatch',
                'when': 'has_no_trade and lowest_environment <> highest_environment',
                'expected': "'one environment'",
                'actual': "lowest_environment || ' and ' || highest_environment || ' with quote ' || shown_quote_id",
            },
            {
                'code': 'partner_mismatch',
                'when': 'has_no_trade and lowest_partner_id <> highest_partner_id',
                'expected': "'one partner'",
                'actual': "lowest_partner_id || ' and ' || highest_partner_id || ' with quote ' || shown_quote_id",
            },
            {
                'code': 'conflicting_link',
                'when': 'order_of_named_quote is not null or order_of_named_trade is not null or trades_of_other_orders is not null',
                'expected': "'order, quote and trade that point at one another'",
                'actual': pool_recon.joined_texts(', ', [
                    "'quote ' || quote_id || ' names order ' || order_of_named_quote",
                    "'trade ' || transact_id || ' belongs to order ' || order_of_named_trade",
                    "'named by trade ' || trades_of_other_orders || ' with a quote of another order'",
                ]),
            },
            {
                'code': 'premature_success',
                'when': "state_class = 'success' and effective_status = 'reserved'",
                'expected': "'a pending product state while the trade is reserved'",
                'actual': "product_state || ' with trade ' || order_transact_id",
            },
            {
                'code': 'product_state_conflict',
                'when': "(state_class = 'success' and effective_status in ('failed', 'released', 'returned')) or (state_class in ('failed', 'returned', 'abandoned') and effective_status = 'settled')",
                'expected': "'a product state that says ' || effective_status",
                'actual': "product_state || ' with trade ' || order_transact_id",
            },
            {
                'code': 'order_state_regression',
                'when': 'times_regressed > 0 and not coalesce(last_reserved_at >= last_final_at, false)',
                'expected': "'no way back from a final state without a new trade'",
                'actual': "'pending again after the final state' || coalesce(' of ' || " ~ pool_recon.timestamp_text('last_final_at') ~ ", '') || case when times_regressed > 1 then ', ' || times_regressed || ' times' else '' end",
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
