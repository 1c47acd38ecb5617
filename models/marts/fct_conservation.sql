-- Landed rows against what became of them, per export and over all landed rows.
with exports as (

    select * from {{ ref('ref_exports') }}

),

files as (

    select * from {{ pool_recon.landed('files') }}

),

landed as (

    select
        export_name,
        sum(row_count) as landed
    from files
    group by export_name

),

staged as (
    {% for export_name, keys in [
        ('orders', 'partner_order_id'), ('quotes', 'quote_id'), ('trades', 'transact_id'), ('events', 'event_id'),
        ('ledger', 'ledger_entry_id'),
    ] %}
    select
        '{{ export_name }}' as export_name,
        count(distinct case when quarantine_reasons is null then {{ keys }} end) as staged,
        count(quarantine_reasons) as quarantined
    from {{ ref('stg_' ~ export_name) }}
    union all
    {%- endfor %}
    {%- for export_name, keys in [
        ('funding', 'funding_reference, confirmed_at'),
        ('balances', "coalesce(environment, '" ~ var('default_environment') ~ "'), coalesce(partner_id, '" ~ var('default_partner') ~ "'), asset, as_of"),
        ('pools', 'environment, partner_id, pool_id, seen_at'),
    ] %}
    select
        '{{ export_name }}' as export_name,
        (select count(*) from (select distinct {{ keys }} from {{ ref('stg_' ~ export_name) }} where quarantine_reasons is null) as ids) as staged,
        (select count(*) from {{ ref('stg_' ~ export_name) }} where quarantine_reasons is not null) as quarantined
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

set_aside as (

    select
        export_name,
        sum(case when disposition = 'duplicate' then 1 else 0 end) as duplicates,
        sum(case when disposition = 'superseded' then 1 else 0 end) as superseded
    from {{ ref('int_rows_set_aside') }}
    group by export_name

)

select
    exports.export_name,
    exports.export_position,
    cast(coalesce(landed.landed, 0) as bigint) as landed,
    cast(coalesce(staged.staged, 0) as bigint) as staged,
    cast(coalesce(set_aside.duplicates, 0) as bigint) as duplicates,
    cast(coalesce(set_aside.superseded, 0) as bigint) as superseded,
    cast(coalesce(staged.quarantined, 0) as bigint) as quarantined
from exports
left join landed on exports.export_name = landed.export_name
left join staged on exports.export_name = staged.export_name
left join set_aside on exports.export_name = set_aside.export_name
