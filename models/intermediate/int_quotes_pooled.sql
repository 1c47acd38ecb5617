-- The last capability snapshot of its pool that a firm quote could have seen when it was created.
with close as (

    select * from {{ ref('int_close') }}

),

quotes as (

    select * from {{ ref('int_quotes_in_force') }}

),

links as (

    select * from {{ ref('int_quotes_linked') }}

),

trades as (

    select * from {{ ref('int_trades_in_force') }}

),

orders as (

    select * from {{ ref('int_orders_in_force') }}

),

snapshots as (

    select * from {{ ref('int_pools_in_force') }}

),

files as (

    select * from {{ source('raw', 'files') }}

),

-- Without the export nothing is known of any pool, and nothing is asked.
firm_quotes as (

    select
        quotes.quote_id,
        quotes.pool_id,
        quotes.created_at,
        coalesce(quotes.environment, trades.environment, orders.environment, close.default_environment) as environment,
        coalesce(quotes.partner_id, trades.partner_id, orders.partner_id, close.default_partner) as partner_id
    from quotes
    cross join close
    inner join links on quotes.quote_id = links.quote_id
    left join trades on links.first_transact_id = trades.transact_id
    left join orders on links.partner_order_id = orders.partner_order_id
    where
        quotes.quote_type = 'firm'
        and quotes.created_at is not null
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
        snapshots.row_order,
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
        cast(null as varchar) as quote_id,
        seen_at as happened_at,
        0 as is_quote
    from snapshots_of_lanes
    union all
    select
        pool_id,
        environment,
        partner_id,
        quote_id,
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
        sum(1 - is_quote) over (
            partition by pool_id, environment, partner_id
            order by happened_at, is_quote
            rows between unbounded preceding and current row
        ) as snapshot_number
    from timeline

)

select
    counted.quote_id,
    snapshots.row_order is not null as has_snapshot,
    coalesce(snapshots.entitled, true) as is_entitled,
    snapshots.min_source_amount,
    snapshots.max_source_amount,
    snapshots.seen_at
from counted
left join snapshots_of_lanes
    on
        counted.pool_id = snapshots_of_lanes.pool_id
        and counted.environment = snapshots_of_lanes.environment
        and counted.partner_id = snapshots_of_lanes.partner_id
        and counted.snapshot_number = snapshots_of_lanes.snapshot_number
left join snapshots on snapshots_of_lanes.row_order = snapshots.row_order
where counted.quote_id is not null
