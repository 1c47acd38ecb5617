{{ config(enabled=pool_recon.own_sources() | length > 0) }}
{{ pool_recon.land_exception_register() }}
