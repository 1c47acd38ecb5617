{{ config(materialized='view') }}
{{ pool_recon.quotes_reconciled(ref) }}
