{{
    pool_recon.raise_findings(
        relation=ref('int_balance_steps_judged'),
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
                'code': 'balance_chain_break',
                'when': 'not is_chained',
                'expected': pool_recon.amount_text('expected_balance', 'minor_unit'),
                'actual': pool_recon.amount_text('stated_balance', 'minor_unit'),
            },
        ]
    )
}}
