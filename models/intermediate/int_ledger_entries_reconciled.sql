{{ config(materialized='view') }}
{{ pool_recon.ledger_entries_reconciled(ref) }}
