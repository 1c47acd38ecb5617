with product_states as (

    select * from {{ ref('ref_product_states') }}

),

repeated_rows as (

    select row_order from {{ pool_recon.at_hand('int_rows_repeated') }}
    where export_name = 'orders'

),

duplicates as (

    select row_order from {{ pool_recon.at_hand('int_rows_set_aside') }}
    where
        export_name = 'orders'
        and disposition = 'duplicate'

),

-- Most orders came once; only the others have versions to rank. A version counts until the cut-off.
-- Ties of updated_at are resolved by the order of loading.
versions as (

    select
        order_rows.partner_order_id,
        order_rows.updated_at,
        order_rows.row_order,
        product_states.state_class,
        coalesce(order_rows.updated_at < {{ pool_recon.cut_off_at() }}, true) as is_counted
    from {{ pool_recon.at_hand('stg_orders') }} as order_rows
    inner join repeated_rows on order_rows.row_order = repeated_rows.row_order
    left join duplicates on order_rows.row_order = duplicates.row_order
    left join product_states on order_rows.product_state = product_states.product_state
    where
        order_rows.created_at < {{ pool_recon.cut_off_at() }}
        and duplicates.row_order is null

),

-- The last version that counts is in force; where none counts, the earliest is.
ranked as (

    select
        partner_order_id,
        row_order,
        state_class,
        row_number() over (
            partition by partner_order_id
            order by
                case when is_counted then 0 else 1 end asc,
                case when is_counted then updated_at end desc nulls last,
                case when is_counted then row_order end desc nulls last,
                updated_at asc,
                row_order asc
        ) as rank_in_force,
        max(case when is_counted and state_class in ('success', 'failed', 'returned') then 1 else 0 end) over (
            partition by partner_order_id
            order by updated_at nulls first, row_order
            rows between unbounded preceding and 1 preceding
        ) as was_final,
        max(case when is_counted and state_class in ('success', 'failed', 'returned') then updated_at end) over (
            partition by partner_order_id
            order by updated_at nulls first, row_order
            rows between unbounded preceding and 1 preceding
        ) as last_final_at,
        lag(state_class) over (
            partition by partner_order_id, is_counted
            order by updated_at nulls first, row_order
        ) as previous_class,
        is_counted
    from versions

),

regressions as (

    select
        partner_order_id,
        max(last_final_at) as last_final_at,
        sum(case when coalesce(previous_class, '') <> 'pending' then 1 else 0 end) as times_regressed
    from ranked
    where
        is_counted
        and state_class = 'pending'
        and was_final = 1
    group by partner_order_id

),

rows_not_in_force as (

    select repeated_rows.row_order
    from repeated_rows
    left join ranked
        on
            repeated_rows.row_order = ranked.row_order
            and ranked.rank_in_force = 1
    where ranked.row_order is null

)

select
    order_rows.partner_order_id,
    order_rows.user_reference,
    order_rows.client_reference,
    order_rows.environment,
    order_rows.partner_id,
    order_rows.pool_id,
    order_rows.side,
    order_rows.quote_id,
    order_rows.transact_id,
    order_rows.idempotency_key,
    order_rows.request_id,
    order_rows.product_state,
    product_states.state_class,
    cast(coalesce(regressions.times_regressed, 0) as {{ dbt.type_bigint() }}) as times_regressed,
    order_rows.created_at,
    order_rows.updated_at,
    regressions.last_final_at,
    order_rows.row_order
from {{ pool_recon.at_hand('stg_orders') }} as order_rows
left join product_states on order_rows.product_state = product_states.product_state
left join ranked
    on
        order_rows.row_order = ranked.row_order
        and ranked.rank_in_force = 1
left join regressions on ranked.partner_order_id = regressions.partner_order_id
left join rows_not_in_force on order_rows.row_order = rows_not_in_force.row_order
where
    order_rows.quarantine_reasons is null
    and order_rows.created_at < {{ pool_recon.cut_off_at() }}
    and rows_not_in_force.row_order is null
