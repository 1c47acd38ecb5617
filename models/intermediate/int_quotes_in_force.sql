{{ config(materialized='view') }}
{%- set terms = [
    'pool_id', 'source_amount', 'target_amount', 'expires_at', 'partner_order_id', 'environment', 'partner_id',
    'quote_type', 'side', 'source_asset', 'target_asset', 'rate', 'spread_bps', 'fee_bps', 'crypto_network',
    'dest_address', 'dest_network', 'created_at', 'request_id',
] -%}
with quote_rows as (

    select
        *,
        case when accepted_at < {{ pool_recon.cut_off_at() }} then accepted_at end as accepted_by_cut_off_at
    from {{ ref('stg_quotes') }}
    where
        quarantine_reasons is null
        and coalesce(coalesce(created_at, accepted_at) < {{ pool_recon.cut_off_at() }}, true)

),

repeated_rows as (

    select row_order from {{ ref('int_rows_repeated') }}
    where export_name = 'quotes'

),

-- The terms of the first row stay; acceptance and status may be filled in by later rows.
repeated_quotes as (

    select
        quote_rows.*,
        min(quote_rows.row_order) over (partition by quote_rows.quote_id) as first_row_order,
        min(case when quote_rows.accepted_by_cut_off_at is not null then quote_rows.row_order end) over (partition by quote_rows.quote_id) as accepted_row_order,
        max(case when quote_rows.status is not null then quote_rows.row_order end) over (partition by quote_rows.quote_id) as status_row_order
    from quote_rows
    inner join repeated_rows on quote_rows.row_order = repeated_rows.row_order

),

changed_quotes as (

    select distinct later_rows.quote_id
    from repeated_quotes as later_rows
    inner join repeated_quotes as first_rows on later_rows.first_row_order = first_rows.row_order
    where {{ pool_recon.differs('later_rows', 'first_rows', terms) }}

),

filled_in as (

    select
        quote_id,
        first_row_order,
        max(case when row_order = accepted_row_order then accepted_by_cut_off_at end) as accepted_at,
        max(case when row_order = status_row_order then status end) as status
    from repeated_quotes
    group by quote_id, first_row_order

),

rows_not_in_force as (

    select repeated_rows.row_order
    from repeated_rows
    left join filled_in on repeated_rows.row_order = filled_in.first_row_order
    where filled_in.first_row_order is null

)

select
    quote_rows.quote_id,
    quote_rows.pool_id,
    quote_rows.partner_order_id,
    quote_rows.environment,
    quote_rows.partner_id,
    quote_rows.quote_type,
    quote_rows.side,
    quote_rows.source_asset,
    quote_rows.target_asset,
    quote_rows.crypto_network,
    quote_rows.dest_address,
    quote_rows.dest_network,
    quote_rows.request_id,
    case when filled_in.quote_id is null then quote_rows.status else filled_in.status end as status,
    quote_rows.source_amount,
    quote_rows.target_amount,
    quote_rows.rate,
    quote_rows.spread_bps,
    quote_rows.fee_bps,
    changed_quotes.quote_id is not null as has_changed_terms,
    quote_rows.created_at,
    case when filled_in.quote_id is null then quote_rows.accepted_by_cut_off_at else filled_in.accepted_at end as accepted_at,
    quote_rows.expires_at,
    quote_rows.row_order
from quote_rows
left join filled_in on quote_rows.row_order = filled_in.first_row_order
left join changed_quotes on filled_in.quote_id = changed_quotes.quote_id
where not exists (select 1 from rows_not_in_force where quote_rows.row_order = rows_not_in_force.row_order)
