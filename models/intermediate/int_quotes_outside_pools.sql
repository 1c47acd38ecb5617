-- Firm quotes that the last capability snapshot of their pool, seen by their creation, does not allow.
with quotes as (

    select * from {{ pool_recon.at_hand('int_quotes_linked') }}

),

snapshots as (

    select * from {{ ref('int_pools_in_force') }}

),

files as (

    select * from {{ pool_recon.landed('files') }}

),

-- Without the export nothing is known of any pool, and nothing is asked.
firm_quotes as (

    select
        quote_id,
        pool_id,
        created_at,
        environment,
        partner_id,
        source_amount
    from quotes
    where
        quote_type = 'firm'
        and created_at is not null
        and exists (select 1 from files where files.export_name = 'pools')

),

lanes as (

    select distinct
        pool_id,
        environment,
        partner_id
    from firm_quotes

),

-- A snapshot that names no environment or partner counts for all of them.
snapshots_of_lanes as (

    select
        lanes.pool_id,
        lanes.environment,
        lanes.partner_id,
        snapshots.seen_at,
        coalesce(snapshots.entitled, true) as is_entitled,
        snapshots.min_source_amount,
        snapshots.max_source_amount,
        row_number() over (
            partition by lanes.pool_id, lanes.environment, lanes.partner_id
            order by snapshots.seen_at, snapshots.row_order
        ) as snapshot_number
    from lanes
    inner join snapshots
        on
            lanes.pool_id = snapshots.pool_id
            and lanes.environment = coalesce(snapshots.environment, lanes.environment)
            and lanes.partner_id = coalesce(snapshots.partner_id, lanes.partner_id)

),

-- Counting the snapshots that came before each quote numbers the last of them, in one pass.
timeline as (

    select
        pool_id,
        environment,
        partner_id,
        cast(null as {{ dbt.type_string() }}) as quote_id,
        cast(null as {{ pool_recon.money_type() }}) as source_amount,
        seen_at as happened_at,
        0 as is_quote
    from snapshots_of_lanes
    union all
    select
        pool_id,
        environment,
        partner_id,
        quote_id,
        source_amount,
        created_at as happened_at,
        1 as is_quote
    from firm_quotes

),

counted as (

    select
        pool_id,
        environment,
        partner_id,
        quote_id,
        source_amount,
        sum(1 - is_quote) over (
            partition by pool_id, environment, partner_id
            order by happened_at, is_quote
            rows between unbounded preceding and current row
        ) as snapshot_number
    from timeline

)

select
    counted.quote_id,
    snapshots_of_lanes.snapshot_number is not null as has_snapshot,
    coalesce(snapshots_of_lanes.is_entitled, false) as is_entitled,
    snapshots_of_lanes.min_source_amount,
    snapshots_of_lanes.max_source_amount
from counted
left join snapshots_of_lanes
    on
        counted.pool_id = snapshots_of_lanes.pool_id
        and counted.environment = snapshots_of_lanes.environment
        and counted.partner_id = snapshots_of_lanes.partner_id
        and counted.snapshot_number = snapshots_of_lanes.snapshot_number
where
    counted.quote_id is not null
    and (
        not coalesce(snapshots_of_lanes.is_entitled, false)
        or coalesce(counted.source_amount < snapshots_of_lanes.min_source_amount, false)
        or coalesce(counted.source_amount > snapshots_of_lanes.max_source_amount, false)
    )
