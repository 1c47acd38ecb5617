{{
    pool_recon.raise_findings(
        relation=ref('int_balances_reconciled'),
        subject_type='balance',
        subject_id="environment || ':' || partner_id || ':' || asset || ':' || " ~ pool_recon.timestamp_text('as_of'),
        identity={
            'environment': 'environment',
            'partner_id': 'partner_id',
            'asset': 'asset',
            'amount_at_risk': 'case when balance <> ledger_balance then abs(balance - ledger_balance) else abs(balance - other_balance) end',
            'row_order': 'row_order',
        },
        findings=[
            {
                'code': 'balance_mismatch',
                'when': 'balance <> ledger_balance or other_balance is not null',
                'expected': pool_recon.amount_text('ledger_balance', 'minor_unit'),
                'actual': pool_recon.joined_texts(' and ', [
                    pool_recon.amount_text('balance', 'minor_unit'),
                    "replace(other_balances, ';', ' and ')",
                ]),
            },
        ]
    )
}}
