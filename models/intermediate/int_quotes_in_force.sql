{{ config(materialized='view') }}
{%- set terms = [
    'pool_id', 'source_amount', 'target_amount', 'expires_at', 'partner_order_id', 'environment', 'partner_id',
    'quote_type', 'side', 'source_asset', 'target_asset', 'rate', 'spread_bps', 'fee_bps', 'crypto_network',
    'dest_address', 'dest_network', 'created_at', 'request_id',
] -%}
with close as (

    select * from {{ ref('int_close') }}

),

quote_rows as (

    select
        *,
        case when accepted_at < (select close.cut_off_at from close) then accepted_at end as accepted_by_cut_off_at
    from {{ ref('stg_quotes') }}
    where
        quarantine_reasons is null
        and coalesce(coalesce(created_at, accepted_at) < (select close.cut_off_at from close), true)

),

-- The terms of the first row stay; acceptance and status may be filled in by later rows.
repeated_keys as (

    select
        quote_id,
        min(row_order) as first_row_order,
        min(case when accepted_by_cut_off_at is not null then row_order end) as accepted_row_order,
        max(case when status is not null then row_order end) as status_row_order
    from quote_rows
    group by quote_id
    having count(*) > 1

),

repeated_rows as (

    select
        quote_rows.*,
        repeated_keys.first_row_order,
        repeated_keys.accepted_row_order,
        repeated_keys.status_row_order
    from quote_rows
    inner join repeated_keys on quote_rows.quote_id = repeated_keys.quote_id

),

changed_quotes as (

    select distinct later_rows.quote_id
    from repeated_rows as later_rows
    inner join repeated_rows as first_rows on later_rows.first_row_order = first_rows.row_order
    where {{ pool_recon.differs('later_rows', 'first_rows', terms) }}

),

filled_in as (

    select
        quote_id,
        max(case when row_order = accepted_row_order then accepted_by_cut_off_at end) as accepted_at,
        max(case when row_order = status_row_order then status end) as status
    from repeated_rows
    group by quote_id

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
left join repeated_keys on quote_rows.quote_id = repeated_keys.quote_id
left join filled_in on quote_rows.quote_id = filled_in.quote_id
left join changed_quotes on quote_rows.quote_id = changed_quotes.quote_id
where
    repeated_keys.quote_id is null
    or quote_rows.row_order = repeated_keys.first_row_order
