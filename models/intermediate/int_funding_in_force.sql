with close as (

    select * from {{ ref('int_close') }}

),

funding_rows as (

    select
        *,
        row_number() over (
            partition by funding_reference, confirmed_at
            order by row_order desc
        ) as rank_in_force
    from {{ ref('stg_funding') }}
    where
        quarantine_reasons is null
        and row_order not in (
            select set_aside.row_order from {{ ref('int_rows_set_aside') }} as set_aside
            where
                set_aside.export_name = 'funding'
                and set_aside.disposition = 'duplicate'
        )

)

select
    funding_rows.funding_reference,
    funding_rows.environment,
    funding_rows.partner_id,
    funding_rows.asset,
    funding_rows.amount,
    -- confirmed without a time counts from the start
    coalesce(
        funding_rows.status = 'confirmed'
        and (funding_rows.confirmed_at is null or funding_rows.confirmed_at < close.cut_off_at),
        false
    ) as is_confirmed,
    funding_rows.confirmed_at,
    funding_rows.row_order
from funding_rows
cross join close
where funding_rows.rank_in_force = 1
