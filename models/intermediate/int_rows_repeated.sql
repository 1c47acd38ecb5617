-- The readable landed rows whose id came more than once: only these have versions, duplicates or conflicts to look at.
{%- set keys = {
    'orders': ['partner_order_id'],
    'quotes': ['quote_id'],
    'trades': ['transact_id'],
    'events': ['event_id'],
    'ledger': ['ledger_entry_id'],
    'funding': ['funding_reference', 'confirmed_at'],
    'balances': ["coalesce(environment, '" ~ var('default_environment') ~ "')", "coalesce(partner_id, '" ~ var('default_partner') ~ "')", 'asset', 'as_of'],
    'pools': ['environment', 'partner_id', 'pool_id', 'seen_at'],
} %}
{% for export_name in pool_recon.export_names() %}
select
    '{{ export_name }}' as export_name,
    export_rows.row_order
from {{ ref('stg_' ~ export_name) }} as export_rows
inner join (
    select
        {%- for key in keys[export_name] %}
        {{ key }} as key_{{ loop.index }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('stg_' ~ export_name) }}
    where quarantine_reasons is null
    group by {{ keys[export_name] | join(', ') }}
    having count(*) > 1
) as repeated_keys
    on
        {%- for key in keys[export_name] %}
        {{ 'and ' if not loop.first }}{{ key }} is not distinct from repeated_keys.key_{{ loop.index }}
        {%- endfor %}
where export_rows.quarantine_reasons is null
{{ 'union all' if not loop.last }}
{% endfor %}
