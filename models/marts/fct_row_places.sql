{{ config(materialized='view') }}
{{ pool_recon.row_places(ref) }}
