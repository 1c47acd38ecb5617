{{ config(enabled=pool_recon.has_extra_columns('ledger')) }}
{{ pool_recon.extra_columns('ledger', ['ledger_entry_id']) }}
