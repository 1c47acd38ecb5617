with close as (

    select * from {{ ref('int_close') }}

),

snapshots as (

    select
        pools.*,
        row_number() over (
            partition by pools.environment, pools.partner_id, pools.pool_id, pools.seen_at
            order by pools.row_order
        ) as rank_in_force
    from {{ ref('stg_pools') }} as pools
    cross join close
    where
        pools.quarantine_reasons is null
        and pools.seen_at <= close.cut_off_at

)

select
    pool_id,
    environment,
    partner_id,
    min_source_amount,
    max_source_amount,
    entitled,
    seen_at,
    row_order
from snapshots
where rank_in_force = 1
