{%- set source_minor_unit = pool_recon.source_of('side', 'fiat_minor_unit', 'crypto_minor_unit') -%}
{%- set target_minor_unit = pool_recon.target_of('side', 'fiat_minor_unit', 'crypto_minor_unit') -%}
{%- set source_net = 'coalesce(source_net, 0)' -%}
{%- set source_agrees = "(" ~ source_net ~ " = demanded_source_net or (may_have_no_source_net and " ~ source_net ~ " = 0))" -%}
{%- set target_agrees = "(not has_settle_entry or target_asset is null or target_amount is null or coalesce(target_net, 0) = demanded_target_net)" -%}
{%- set complete_source_net = 'coalesce(source_net, 0) + coalesce(later_source_net, 0)' -%}
{%- set source_will_agree = "(" ~ complete_source_net ~ " = demanded_source_net or (may_have_no_source_net and " ~ complete_source_net ~ " = 0))" -%}
{%- set target_will_agree = "(not (has_settle_entry or has_later_settle_entry) or target_asset is null or target_amount is null or coalesce(target_net, 0) + coalesce(later_target_net, 0) = demanded_target_net)" -%}
{%- set is_returned_unadjusted = "(effective_status = 'returned' and entry_count > 0 and not has_return_entry)" -%}
{{
    pool_recon.raise_findings(
        relation=pool_recon.query_as_relation(pool_recon.trades_with_other_statements(), 'trades'),
        subject_type='trade',
        subject_id='transact_id',
        identity={
            'environment': 'environment',
            'partner_id': 'partner_id',
            'partner_order_id': 'named_partner_order_id',
            'pool_id': 'pool_id',
            'quote_id': 'quote_id',
            'transact_id': 'transact_id',
            'request_id': 'request_id',
            'asset': 'source_asset',
            'amount_at_risk': 'source_amount',
            'row_order': 'row_order',
        },
        findings=[
            {
                'code': 'missing_quote',
                'when': 'partner_order_id is null and known_quote_id is null',
                'expected': "'a quote in the quotes export'",
                'actual': "coalesce('quote ' || quote_id || ' is unknown', 'no quote_id')",
            },
            {
                'code': 'missing_order',
                'when': 'partner_order_id is null',
                'expected': "'a partner order'",
                'actual': "'joins to no order'",
            },
            {
                'code': 'duplicate_trade_attempt',
                'when': 'repeats_idempotency_key or repeats_quote',
                'expected': "'one trade per idempotency key and quote'",
                'actual': pool_recon.joined_texts(', ', [
                    "case when repeats_idempotency_key then 'another trade came before it with key ' || idempotency_key end",
                    "case when repeats_quote then 'another trade came before it on quote ' || quote_id end",
                ]),
            },
            {
                'code': 'missing_webhook',
                'when': "is_own_status_terminal and not case status when 'settled' then is_confirmed_settled when 'failed' then is_confirmed_failed when 'released' then is_confirmed_released else is_confirmed_returned end",
                'deferred_when': "case status when 'settled' then is_later_confirmed_settled when 'failed' then is_later_confirmed_failed when 'released' then is_later_confirmed_released else is_later_confirmed_returned end",
                'expected': "'a trusted confirmation of ' || status",
                'actual': "'none among ' || event_count || ' events'",
            },
            {
                'code': 'missing_ledger_entry',
                'when': 'requires_ledger_entry and entry_count = 0',
                'deferred_when': 'has_later_entry',
                'expected': "'a ledger entry of the ' || effective_status || ' trade'",
                'actual': "'none'",
            },
            {
                'code': 'ledger_mismatch',
                'when': 'entry_count > 0 and source_asset is not null and source_amount is not null and not ' ~ is_returned_unadjusted ~ ' and not (' ~ source_agrees ~ ' and ' ~ target_agrees ~ ')',
                'deferred_when': 'has_later_entry and ' ~ source_will_agree ~ ' and ' ~ target_will_agree,
                'expected': pool_recon.joined_texts(', ', [
                    "case when not " ~ source_agrees ~ " then 'source net ' || " ~ pool_recon.amount_text('demanded_source_net', source_minor_unit) ~ " || ' ' || source_asset end",
                    "case when not " ~ target_agrees ~ " then 'target net ' || " ~ pool_recon.amount_text('demanded_target_net', target_minor_unit) ~ " || ' ' || target_asset end",
                ]) ~ " || ' for ' || effective_status",
                'actual': pool_recon.joined_texts(', ', [
                    "case when not " ~ source_agrees ~ " then 'source net ' || " ~ pool_recon.amount_text(source_net, source_minor_unit) ~ " end",
                    "case when not " ~ target_agrees ~ " then 'target net ' || " ~ pool_recon.amount_text('coalesce(target_net, 0)', target_minor_unit) ~ " end",
                ]),
                'asset': 'case when ' ~ source_agrees ~ ' then target_asset else source_asset end',
                'amount_at_risk': 'case when ' ~ source_agrees ~ ' then abs(coalesce(target_net, 0) - demanded_target_net) when may_have_no_source_net then least(abs(' ~ source_net ~ '), abs(' ~ source_net ~ ' - demanded_source_net)) else abs(' ~ source_net ~ ' - demanded_source_net) end',
            },
            {
                'code': 'returned_not_adjusted',
                'when': is_returned_unadjusted,
                'deferred_when': 'has_later_return_entry',
                'expected': "'a return or refund entry'",
                'actual': "'none among ' || entry_count || ' entries'",
            },
            {
                'code': 'ledger_without_terminal_trade',
                'when': "effective_status = 'reserved' and has_outcome_entry",
                'expected': "'only debit or reserve entries while the trade is reserved'",
                'actual': "'a settle, refund, release or return entry among ' || ledger_entry_ids",
            },
            {
                'code': 'terminal_state_conflict',
                'when': "case when status in ('settled', 'returned') or has_settled_version or has_returned_version or is_confirmed_settled or is_confirmed_returned then 1 else 0 end + case when status = 'failed' or has_failed_version or is_confirmed_failed then 1 else 0 end + case when status = 'released' or has_released_version or is_confirmed_released then 1 else 0 end > 1 or coalesce(first_returned_at < first_settled_at, false) or times_gone_back > 0",
                'expected': "'one terminal status, which is not left'",
                'actual': pool_recon.joined_texts(', ', [
                    "'own ' || status",
                    "case when has_settled_version and status <> 'settled' or is_confirmed_settled then 'settled seen' end",
                    "case when has_failed_version and status <> 'failed' or is_confirmed_failed then 'failed seen' end",
                    "case when has_released_version and status <> 'released' or is_confirmed_released then 'released seen' end",
                    "case when has_returned_version and status <> 'returned' or is_confirmed_returned then 'returned seen' end",
                    "case when first_returned_at < first_settled_at then 'returned before settled' end",
                    "case when times_gone_back = 1 then 'went back to reserved' when times_gone_back > 1 then 'went back to reserved ' || times_gone_back || ' times' end",
                ]),
            },
            {
                'code': 'status_lag',
                'when': 'status <> effective_status',
                'expected': 'effective_status',
                'actual': 'status',
            },
            {
                'code': 'stuck_reserved',
                'when': "effective_status = 'reserved' and coalesce(reserved_at, accepted_at, order_created_at) < settlement_limit_at",
                'expected': "'a terminal status within " ~ pool_recon.limit_seconds('settlement_limit_seconds') ~ " seconds'",
                'actual': "'reserved since ' || " ~ pool_recon.timestamp_text('coalesce(reserved_at, accepted_at, order_created_at)'),
            },
            {
                'code': 'indicative_quote_executed',
                'when': "quote_type = 'indicative'",
                'expected': "'a firm quote'",
                'actual': "'indicative quote ' || quote_id",
            },
            {
                'code': 'amount_mismatch',
                'when': 'coalesce(fiat_amount <> quote_fiat_amount, false) or coalesce(crypto_amount <> quote_crypto_amount, false)',
                'expected': pool_recon.joined_texts(', ', [
                    "case when fiat_amount <> quote_fiat_amount then 'fiat ' || " ~ pool_recon.amount_text('quote_fiat_amount', 'fiat_minor_unit') ~ " end",
                    "case when crypto_amount <> quote_crypto_amount then 'crypto ' || " ~ pool_recon.amount_text('quote_crypto_amount', 'crypto_minor_unit') ~ " end",
                ]),
                'actual': pool_recon.joined_texts(', ', [
                    "case when fiat_amount <> quote_fiat_amount then 'fiat ' || " ~ pool_recon.amount_text('fiat_amount', 'fiat_minor_unit') ~ " end",
                    "case when crypto_amount <> quote_crypto_amount then 'crypto ' || " ~ pool_recon.amount_text('crypto_amount', 'crypto_minor_unit') ~ " end",
                ]),
            },
            {
                'code': 'network_mismatch',
                'when': 'crypto_network <> quote_crypto_network',
                'expected': 'quote_crypto_network',
                'actual': 'crypto_network',
            },
            {
                'code': 'pool_mismatch',
                'when': 'differing_pools is not null or differing_sides is not null',
                'expected': "'one pool and one side'",
                'actual': pool_recon.joined_texts(', ', ['differing_pools', 'differing_sides']),
            },
            {
                'code': 'environment_mismatch',
                'when': 'lowest_environment <> highest_environment',
                'expected': "'one environment'",
                'actual': "coalesce(differing_environments, environment) || coalesce(', and ' || other_environments || ' in ' || records_of_other_environments || ' of its events and entries', '')",
            },
            {
                'code': 'partner_mismatch',
                'when': 'lowest_partner_id <> highest_partner_id',
                'expected': "'one partner'",
                'actual': "coalesce(differing_partners, partner_id) || coalesce(', and ' || other_partners || ' in ' || records_of_other_partners || ' of its events and entries', '')",
            },
            {
                'code': 'missing_idempotency_key',
                'when': 'idempotency_key is null',
                'expected': "'an idempotency key'",
                'actual': "'none'",
            },
            {
                'code': 'missing_request_id',
                'when': 'request_id is null',
                'expected': "'a request id of trade, quote or order'",
                'actual': "'none'",
            },
            {
                'code': 'excess_precision',
                'when': 'coalesce(fiat_amount % smallest_fiat_amount <> 0, false) or coalesce(crypto_amount % smallest_crypto_amount <> 0, false)',
                'expected': pool_recon.joined_texts(', ', [
                    "case when fiat_amount % smallest_fiat_amount <> 0 then 'at most ' || fiat_minor_unit || ' decimals of ' || fiat_asset end",
                    "case when crypto_amount % smallest_crypto_amount <> 0 then 'at most ' || crypto_minor_unit || ' decimals of ' || crypto_asset end",
                ]),
                'actual': pool_recon.joined_texts(', ', [
                    "case when fiat_amount % smallest_fiat_amount <> 0 then 'fiat ' || " ~ pool_recon.amount_text('fiat_amount', 'fiat_minor_unit') ~ " end",
                    "case when crypto_amount % smallest_crypto_amount <> 0 then 'crypto ' || " ~ pool_recon.amount_text('crypto_amount', 'crypto_minor_unit') ~ " end",
                ]),
            },
        ]
    )
}}
