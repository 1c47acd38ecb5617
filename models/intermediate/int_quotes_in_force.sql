{{ config(materialized='view') }}
{{ pool_recon.quotes_in_force(ref) }}
