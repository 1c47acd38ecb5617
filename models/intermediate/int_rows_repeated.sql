-- The readable landed rows whose id came more than once: only these have versions, duplicates or conflicts to look at.
{{ pool_recon.repeated_rows('orders') }}
union all
{{ pool_recon.repeated_rows('quotes') }}
union all
{{ pool_recon.repeated_rows('trades') }}
union all
{{ pool_recon.repeated_rows('events') }}
union all
{{ pool_recon.repeated_rows('ledger') }}
union all
{{ pool_recon.repeated_rows('funding') }}
union all
{{ pool_recon.repeated_rows('balances') }}
union all
{{ pool_recon.repeated_rows('pools') }}
