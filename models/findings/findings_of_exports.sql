{{
    pool_recon.raise_findings(
        relation=ref('int_documented_columns'),
        subject_type='export',
        subject_id='column_id',
        identity={'environment': 'environment', 'partner_id': 'partner_id'},
        findings=[
            {
                'code': 'documented_column_absent',
                'when': 'file_count > 0 and file_count_with_column = 0',
                'expected': "'column ' || column_name",
                'actual': "'in no file of its export'",
            },
        ]
    )
}}
