{{ config(materialized='view') }}
{{ pool_recon.events_in_force(ref) }}
