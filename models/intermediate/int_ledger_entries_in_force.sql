{{ config(materialized='view') }}
{{ pool_recon.ledger_entries_in_force(ref) }}
