-- Each reported balance against the sum of the ledger before it.
with entries as (

    select * from {{ ref('int_ledger_entries_joined') }}
    where
        touches_balance
        and exists (select 1 from {{ ref('int_balances_in_force') }})

),

balances as (

    select * from {{ ref('int_balances_in_force') }}

),

timeline as (

    select
        environment,
        partner_id,
        asset,
        effective_at as happened_at,
        1 as is_entry,
        delta
    from entries
    union all
    select
        environment,
        partner_id,
        asset,
        as_of as happened_at,
        0 as is_entry,
        cast(0 as {{ pool_recon.money_type() }}) as delta
    from balances

),

summed as (

    select
        environment,
        partner_id,
        asset,
        happened_at,
        is_entry,
        sum(delta) over (
            partition by environment, partner_id, asset
            order by happened_at, is_entry
            rows between unbounded preceding and current row
        ) as ledger_balance
    from timeline

)

select
    balances.environment,
    balances.partner_id,
    balances.asset,
    balances.balance,
    balances.other_balance,
    coalesce(summed.ledger_balance, 0) as ledger_balance,
    balances.as_of,
    balances.row_order
from balances
inner join summed
    on
        balances.environment = summed.environment
        and balances.partner_id = summed.partner_id
        and balances.asset = summed.asset
        and balances.as_of = summed.happened_at
        and summed.is_entry = 0
