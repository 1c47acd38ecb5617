-- Landed rows that can be read but are not the record in force, over all landed rows whatever the close date.
{{ pool_recon.set_aside_versions('orders', 'updated_at') }}
union all
{{ pool_recon.set_aside_versions('trades', 'updated_at') }}
union all
{{ pool_recon.set_aside_versions('funding') }}
union all
{{ pool_recon.set_aside_immutable_rows('quotes') }}
union all
{{ pool_recon.set_aside_immutable_rows('events') }}
union all
{{ pool_recon.set_aside_immutable_rows('ledger') }}
union all
{{ pool_recon.set_aside_immutable_rows('balances') }}
union all
{{ pool_recon.set_aside_immutable_rows('pools') }}
