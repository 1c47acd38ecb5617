{{
    pool_recon.raise_findings(
        relation=ref('int_columns_judged'),
        subject_type='export_row',
        subject_id='column_id',
        identity={'environment': 'environment', 'partner_id': 'partner_id'},
        findings=[
            {
                'code': 'private_field_exposed',
                'when': 'private_word is not null',
                'expected': "'no column about ' || private_word",
                'actual': 'column_name',
            },
        ]
    )
}}
