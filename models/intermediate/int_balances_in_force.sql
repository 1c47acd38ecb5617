with close as (

    select * from {{ ref('int_close') }}

),

assets as (

    select * from {{ ref('int_assets') }}

),

balance_rows as (

    select
        coalesce(balances.environment, close.default_environment) as environment,
        coalesce(balances.partner_id, close.default_partner) as partner_id,
        balances.asset,
        balances.balance,
        balances.as_of,
        assets.minor_unit,
        balances.row_order
    from {{ ref('stg_balances') }} as balances
    cross join close
    left join assets on balances.asset = assets.asset
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

other_balances as (

    select
        environment,
        partner_id,
        asset,
        as_of,
        balance,
        minor_unit,
        row_number() over (partition by environment, partner_id, asset, as_of order by row_order) as rank_of_other
    from ranked
    where balance <> first_balance

),

-- The first balance that came for the same moment and differs, and all of them.
other_balances_of_moments as (

    select
        environment,
        partner_id,
        asset,
        as_of,
        max(case when rank_of_other = 1 then balance end) as other_balance,
        {{ pool_recon.text_list(pool_recon.amount_text('balance', 'minor_unit')) }} as other_balances
    from other_balances
    group by environment, partner_id, asset, as_of

)

select
    ranked.environment,
    ranked.partner_id,
    ranked.asset,
    ranked.balance,
    others.other_balance,
    others.other_balances,
    ranked.as_of,
    ranked.minor_unit,
    ranked.row_order
from ranked
left join other_balances_of_moments as others
    on
        ranked.environment = others.environment
        and ranked.partner_id = others.partner_id
        and ranked.asset = others.asset
        and ranked.as_of = others.as_of
where ranked.rank_in_force = 1
