-- Each reported balance against the sum of the ledger before it: of the days before its own, and of its day so far.
with entries as (

    select
        environment,
        partner_id,
        asset,
        effective_at,
        {{ dbt.date_trunc('day', 'effective_at') }} as effective_day,
        delta
    from {{ ref('int_ledger_entries_joined') }}
    where
        touches_balance
        and exists (select 1 from {{ ref('int_balances_in_force') }})

),

balances as (

    select
        environment,
        partner_id,
        asset,
        balance,
        other_balance,
        as_of,
        {{ dbt.date_trunc('day', 'as_of') }} as as_of_day,
        row_order
    from {{ ref('int_balances_in_force') }}

),

days as (

    select
        environment,
        partner_id,
        asset,
        effective_day,
        sum(delta) as delta
    from entries
    group by environment, partner_id, asset, effective_day

),

days_before as (

    select
        balances.row_order,
        sum(days.delta) as ledger_balance
    from balances
    inner join days
        on
            {{ pool_recon.of_balance('balances', 'days') }}
            and balances.as_of_day > days.effective_day
    group by balances.row_order

),

days_so_far as (

    select
        balances.row_order,
        sum(entries.delta) as ledger_balance
    from balances
    inner join entries
        on
            {{ pool_recon.of_balance('balances', 'entries') }}
            and balances.as_of_day = entries.effective_day
            and balances.as_of > entries.effective_at
    group by balances.row_order

)

select
    balances.environment,
    balances.partner_id,
    balances.asset,
    balances.balance,
    balances.other_balance,
    coalesce(days_before.ledger_balance, 0) + coalesce(days_so_far.ledger_balance, 0) as ledger_balance,
    balances.as_of,
    balances.row_order
from balances
left join days_before on balances.row_order = days_before.row_order
left join days_so_far on balances.row_order = days_so_far.row_order
