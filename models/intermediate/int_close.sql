select
    cast('{{ pool_recon.close_date() }}' as date) as close_date,
    '{{ pool_recon.business_time_zone() }}' as business_time_zone,
    {{ pool_recon.close_moment(0) }} as opening_at,
    {{ pool_recon.close_moment(1) }} as cut_off_at,
    {{ pool_recon.close_moment(1, pool_recon.limit_seconds('grace_period_seconds')) }} as grace_limit_at,
    {{ pool_recon.close_moment(1, pool_recon.limit_seconds('settlement_limit_seconds')) }} as settlement_limit_at,
    {{ pool_recon.close_moment(1, pool_recon.limit_seconds('processing_limit_seconds')) }} as processing_limit_at,
    {{ pool_recon.text_literal(pool_recon.default_environment()) }} as default_environment,
    {{ pool_recon.text_literal(pool_recon.default_partner()) }} as default_partner,
    cast(coalesce(max(files.file_id), 0) as integer) as last_file_id
from {{ pool_recon.landed('files') }} as files
