{#-
    By what two rows of an export are about one record: expressions of the primary id.

    Arguments:
        export_name: the export.
-#}
{% macro key_of(export_name) -%}
    {%- set environment = 'coalesce(environment, ' ~ pool_recon.text_literal(pool_recon.default_environment()) ~ ')' -%}
    {%- set partner = 'coalesce(partner_id, ' ~ pool_recon.text_literal(pool_recon.default_partner()) ~ ')' -%}
    {{ return({
        'orders': ['partner_order_id'],
        'quotes': ['quote_id'],
        'trades': ['transact_id'],
        'events': ['event_id'],
        'ledger': ['ledger_entry_id'],
        'funding': ['funding_reference', 'confirmed_at'],
        'balances': [environment, partner, 'asset', 'as_of'],
        'pools': ['environment', 'partner_id', 'pool_id', 'seen_at'],
    }[export_name]) }}
{%- endmacro %}


{#-
    In what two rows about one record have to agree to be the same content: all of its other columns, but for events, of
    which each delivery has some of its own.

    Arguments:
        export_name: the export.
-#}
{% macro content_of(export_name) -%}
    {{ return({
        'orders': [
            'created_at', 'product_state', 'user_reference', 'client_reference', 'environment', 'partner_id', 'pool_id',
            'side', 'quote_id', 'transact_id', 'idempotency_key', 'request_id', 'updated_at',
        ],
        'quotes': pool_recon.terms_of_quotes() + ['accepted_at', 'status'],
        'trades': [
            'quote_id', 'idempotency_key', 'status', 'reserved_at', 'terminal_at', 'fiat_amount', 'crypto_amount',
            'pool_id', 'side', 'environment', 'partner_id', 'partner_order_id', 'crypto_network', 'request_id',
            'updated_at',
        ],
        'events': ['transact_id', 'quote_id', 'status', 'occurred_at', 'environment', 'partner_id'],
        'ledger': [
            'entry_type', 'asset', 'amount', 'effective_at', 'transact_id', 'quote_id', 'ledger_ref', 'balance_after',
            'entry_seq', 'related_entry_id', 'funding_reference', 'environment', 'partner_id', 'request_id',
        ],
        'funding': ['asset', 'amount', 'status', 'environment', 'partner_id'],
        'balances': ['balance'],
        'pools': ['entitled', 'available', 'min_source_amount', 'max_source_amount'],
    }[export_name]) }}
{%- endmacro %}


{#- What stays of a quote as it came first; acceptance and status may be filled in later. -#}
{% macro terms_of_quotes() -%}
    {{ return([
        'pool_id', 'source_amount', 'target_amount', 'expires_at', 'partner_order_id', 'environment', 'partner_id',
        'quote_type', 'side', 'source_asset', 'target_asset', 'rate', 'spread_bps', 'fee_bps', 'crypto_network',
        'dest_address', 'dest_network', 'created_at', 'request_id',
    ]) }}
{%- endmacro %}
