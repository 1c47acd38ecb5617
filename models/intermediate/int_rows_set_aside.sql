-- Landed rows that can be read but are not the record in force, over all landed rows whatever the close date.
{{
    pool_recon.set_aside_versions(
        'orders', ['partner_order_id'],
        ['created_at', 'product_state', 'user_reference', 'client_reference', 'environment', 'partner_id', 'pool_id', 'side', 'quote_id', 'transact_id', 'idempotency_key', 'request_id', 'updated_at'],
        'updated_at'
    )
}}
union all
{{
    pool_recon.set_aside_versions(
        'trades', ['transact_id'],
        ['quote_id', 'idempotency_key', 'status', 'reserved_at', 'terminal_at', 'fiat_amount', 'crypto_amount', 'pool_id', 'side', 'environment', 'partner_id', 'partner_order_id', 'crypto_network', 'request_id', 'updated_at'],
        'updated_at'
    )
}}
union all
{{
    pool_recon.set_aside_versions(
        'funding', ['funding_reference', 'confirmed_at'],
        ['asset', 'amount', 'status', 'environment', 'partner_id']
    )
}}
union all
{{
    pool_recon.set_aside_immutable_rows(
        'quotes', ['quote_id'],
        ['pool_id', 'source_amount', 'target_amount', 'expires_at', 'partner_order_id', 'environment', 'partner_id', 'quote_type', 'side', 'source_asset', 'target_asset', 'rate', 'spread_bps', 'fee_bps', 'crypto_network', 'dest_address', 'dest_network', 'created_at', 'accepted_at', 'status', 'request_id']
    )
}}
union all
{{
    pool_recon.set_aside_immutable_rows(
        'events', ['event_id'],
        pool_recon.content_of_events()
    )
}}
union all
{{
    pool_recon.set_aside_immutable_rows(
        'ledger', ['ledger_entry_id'],
        ['entry_type', 'asset', 'amount', 'effective_at', 'transact_id', 'quote_id', 'ledger_ref', 'balance_after', 'entry_seq', 'related_entry_id', 'funding_reference', 'environment', 'partner_id', 'request_id']
    )
}}
union all
{{
    pool_recon.set_aside_immutable_rows(
        'balances',
        ["coalesce(environment, " ~ pool_recon.text_literal(var('default_environment')) ~ ")", "coalesce(partner_id, " ~ pool_recon.text_literal(var('default_partner')) ~ ")", 'asset', 'as_of'],
        ['balance']
    )
}}
union all
{{
    pool_recon.set_aside_immutable_rows(
        'pools', ['environment', 'partner_id', 'pool_id', 'seen_at'],
        ['entitled', 'available', 'min_source_amount', 'max_source_amount']
    )
}}
