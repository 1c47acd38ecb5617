-- The readable landed rows whose id came more than once: only these have versions, duplicates or conflicts to look at.
{{ pool_recon.repeated_rows('orders', ['partner_order_id']) }}
union all
{{ pool_recon.repeated_rows('quotes', ['quote_id']) }}
union all
{{ pool_recon.repeated_rows('trades', ['transact_id']) }}
union all
{{ pool_recon.repeated_rows('events', ['event_id']) }}
union all
{{ pool_recon.repeated_rows('ledger', ['ledger_entry_id']) }}
union all
{{ pool_recon.repeated_rows('funding', ['funding_reference', 'confirmed_at']) }}
union all
{{ pool_recon.repeated_rows('balances', ["coalesce(environment, " ~ pool_recon.text_literal(var('default_environment')) ~ ")", "coalesce(partner_id, " ~ pool_recon.text_literal(var('default_partner')) ~ ")", 'asset', 'as_of']) }}
union all
{{ pool_recon.repeated_rows('pools', ['environment', 'partner_id', 'pool_id', 'seen_at']) }}
