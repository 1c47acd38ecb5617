{{ config(enabled=pool_recon.has_extra_columns('events')) }}
{{ pool_recon.extra_columns('events', ['event_id']) }}
