{{ config(enabled=pool_recon.has_extra_columns('quotes')) }}
{{ pool_recon.extra_columns('quotes', ['quote_id']) }}
