{{
    pool_recon.raise_findings(
        relation=pool_recon.at_hand('int_ledger_entries_reconciled'),
        subject_type='ledger_entry',
        subject_id='ledger_entry_id',
        identity={
            'environment': 'environment',
            'partner_id': 'partner_id',
            'partner_order_id': 'joined_partner_order_id',
            'pool_id': 'pool_id',
            'quote_id': 'coalesce(joined_quote_id, quote_id)',
            'transact_id': 'coalesce(joined_transact_id, transact_id)',
            'ledger_entry_id': 'ledger_entry_id',
            'request_id': 'request_id',
            'asset': 'asset',
            'amount_at_risk': 'abs(delta)',
            'row_order': 'row_order',
        },
        findings=[
            {
                'code': 'orphan_ledger_entry',
                'when': '(needs_trade and joined_transact_id is null) or (joined_transact_id is not null and (joined_quote_id is null or joined_partner_order_id is null))',
                'expected': "'a trade with its quote and its order'",
                'actual': "case when joined_transact_id is null then 'joins to no trade' else " ~ pool_recon.joined_texts(', ', [
                    "case when joined_quote_id is null then 'the trade has no quote' end",
                    "case when joined_partner_order_id is null then 'the trade has no order' end",
                ]) ~ " end",
            },
            {
                'code': 'unlinked_refund',
                'when': 'restores_debit and not (has_earlier_debit and names_its_debit and (restored_so_far <= debited_amount or delta <= 0))',
                'expected': "'at most ' || " ~ pool_recon.amount_text('debited_amount', 'minor_unit') ~ " || ' to give back'",
                'actual': pool_recon.joined_texts(', ', [
                    "case when not has_earlier_debit then 'no debit at or before it' end",
                    "case when not names_its_debit then related_entry_id || ' is no such debit' end",
                    "case when restored_so_far > debited_amount and delta > 0 then " ~ pool_recon.amount_text('restored_so_far', 'minor_unit') ~ " || ' given back so far' end",
                ]),
            },
            {
                'code': 'unattributed_funding',
                'when': "entry_class = 'funding' and ((joined_transact_id is null and funding_reference is null) or (has_funding_export and funding_reference is not null and not is_attributed))",
                'expected': "'a payment reference of the same asset, environment and partner'",
                'actual': "coalesce('reference ' || funding_reference || ' is not known for this balance', 'no reference')",
            },
            {
                'code': 'funding_before_confirmation',
                'when': "entry_class = 'funding' and has_funding_export and is_attributed and funded_so_far > confirmed_by_then_amount and funded_so_far <= confirmed_amount",
                'expected': "'at most ' || " ~ pool_recon.amount_text('confirmed_by_then_amount', 'minor_unit') ~ " || ' confirmed by then'",
                'actual': pool_recon.amount_text('funded_so_far', 'minor_unit') ~ " || ' credited'",
            },
            {
                'code': 'funding_exceeds_confirmed',
                'when': "entry_class = 'funding' and has_funding_export and is_attributed and funded_so_far > confirmed_amount",
                'expected': "'at most ' || " ~ pool_recon.amount_text('confirmed_amount', 'minor_unit') ~ " || ' confirmed'",
                'actual': pool_recon.amount_text('funded_so_far', 'minor_unit') ~ " || ' credited'",
            },
            {
                'code': 'ledger_entry_changed',
                'when': 'other_contents > 0',
                'expected': "'the content of the first row'",
                'actual': "case when other_contents = 1 then 'a later row has other content' else 'later rows have ' || other_contents || ' other contents' end",
            },
            {
                'code': 'unknown_entry_type',
                'when': 'entry_class is null',
                'expected': "'an entry type of the reference data'",
                'actual': 'entry_type',
            },
            {
                'code': 'ledger_sign_conflict',
                'when': "balance_sign = '+' and amount < 0",
                'expected': "'a credit'",
                'actual': pool_recon.amount_text('amount', 'minor_unit'),
            },
            {
                'code': 'excess_precision',
                'when': 'amount % smallest_amount <> 0',
                'expected': "'no digits beyond ' || " ~ pool_recon.amount_text('smallest_amount') ~ " || ' ' || asset",
                'actual': pool_recon.amount_text('amount', 'minor_unit'),
            },
            {
                'code': 'negative_balance',
                'when': 'touches_balance and balance_after < 0',
                'expected': "'a balance of zero or more'",
                'actual': pool_recon.amount_text('balance_after', 'minor_unit'),
            },
        ]
    )
}}
