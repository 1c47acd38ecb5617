{{ config(enabled=pool_recon.has_extra_columns('orders')) }}
{{ pool_recon.extra_columns('orders', ['partner_order_id']) }}
