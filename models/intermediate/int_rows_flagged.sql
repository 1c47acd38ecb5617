-- The few landed rows that are in quarantine or carry a secret, from all exports.
{% for export_name in pool_recon.export_names() %}
select
    '{{ export_name }}' as export_name,
    file_id,
    row_number,
    row_order,
    quarantine_reasons,
    original_text,
    has_secret
from {{ ref('stg_' ~ export_name) }}
where
    quarantine_reasons is not null
    or has_secret
{{ 'union all' if not loop.last }}
{% endfor %}
