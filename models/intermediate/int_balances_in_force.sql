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
        first_value(balance) over (partition by environment, partner_id, asset, as_of order by row_order) as first_balance
    from balance_rows

),

-- The first balance that came for the same moment and differs.
other_balances as (

    select
        environment,
        partner_id,
        asset,
        as_of,
        balance,
        row_number() over (partition by environment, partner_id, asset, as_of order by row_order) as rank_of_other
    from ranked
    where balance <> first_balance

)

select
    ranked.environment,
    ranked.partner_id,
    ranked.asset,
    ranked.balance,
    other_balances.balance as other_balance,
    ranked.as_of,
    ranked.row_order
from ranked
left join other_balances
    on
        ranked.environment = other_balances.environment
        and ranked.partner_id = other_balances.partner_id
        and ranked.asset = other_balances.asset
        and ranked.as_of = other_balances.as_of
        and other_balances.rank_of_other = 1
where ranked.rank_in_force = 1
