with close as (

    select * from {{ ref('int_close') }}

),

balance_rows as (

    select
        coalesce(balances.environment, close.default_environment) as environment,
        coalesce(balances.partner_id, close.default_partner) as partner_id,
        balances.asset,
        balances.balance,
        balances.as_of,
        balances.row_order
    from {{ ref('stg_balances') }} as balances
    cross join close
    where
        balances.quarantine_reasons is null
        and balances.as_of <= close.cut_off_at

),

ranked as (

    select
        *,
        row_number() over (partition by environment, partner_id, asset, as_of order by row_order) as rank_in_force,
        min(balance) over (partition by environment, partner_id, asset, as_of) as lowest_balance,
        max(balance) over (partition by environment, partner_id, asset, as_of) as highest_balance
    from balance_rows

)

select
    environment,
    partner_id,
    asset,
    balance,
    case when lowest_balance <> balance then lowest_balance when highest_balance <> balance then highest_balance end as other_balance,
    as_of,
    row_order
from ranked
where rank_in_force = 1
