{{
    pool_recon.raise_findings(
        relation=ref('int_rows_named'),
        subject_type='export_row',
        subject_id='row_id',
        identity={'environment': 'environment', 'partner_id': 'partner_id', 'row_order': 'row_order'},
        findings=[
            {
                'code': 'quarantined_row',
                'when': 'quarantine_reasons is not null',
                'expected': "'a row of ' || export_name || ' that can be read exactly'",
                'actual': 'quarantine_reasons',
            },
            {
                'code': 'secret_exposed',
                'when': 'has_secret',
                'expected': "'no secret in ' || export_name",
                'actual': "'a secret, masked before it landed'",
            },
        ]
    )
}}
