{{
    pool_recon.raise_findings(
        relation=ref('int_funding_credited'),
        subject_type='funding',
        subject_id='funding_reference',
        identity={
            'environment': 'environment',
            'partner_id': 'partner_id',
            'asset': 'asset',
            'amount_at_risk': 'confirmed_amount - credited_amount',
        },
        findings=[
            {
                'code': 'funding_not_credited',
                'when': 'credited_amount < confirmed_amount',
                'expected': pool_recon.amount_text('confirmed_amount', 'minor_unit') ~ " || ' ' || asset || ' credited'",
                'actual': pool_recon.amount_text('credited_amount', 'minor_unit'),
            },
        ]
    )
}}
