-- Each reported balance against the sum of the ledger before it: of the days before its own, and of its day so far.
with balances as (

    select
        environment,
        partner_id,
        asset,
        balance,
        other_balance,
        other_balances,
        as_of,
        minor_unit,
        {{ dbt.date_trunc('day', 'as_of') }} as as_of_day,
        row_order
    from {{ ref('int_balances_in_force') }}

),

days_before as (

    select
        balances.row_order,
        sum(days.delta) as ledger_balance
    from balances
    inner join {{ ref('int_balance_days') }} as days
        on
            {{ pool_recon.of_balance('balances', 'days') }}
            and balances.as_of_day > days.effective_at
    group by balances.row_order

),

days_so_far as (

    select
        balances.row_order,
        sum(entries.delta) as ledger_balance
    from balances
    inner join {{ ref('int_ledger_entries_joined') }} as entries
        on
            {{ pool_recon.of_balance('balances', 'entries') }}
            and balances.as_of_day = {{ dbt.date_trunc('day', 'entries.effective_at') }}
            and balances.as_of > entries.effective_at
    where
        balances.as_of > balances.as_of_day
        and entries.touches_balance
    group by balances.row_order

)

select
    balances.environment,
    balances.partner_id,
    balances.asset,
    balances.balance,
    balances.other_balance,
    balances.other_balances,
    coalesce(days_before.ledger_balance, 0) + coalesce(days_so_far.ledger_balance, 0) as ledger_balance,
    balances.as_of,
    balances.minor_unit,
    balances.row_order
from balances
left join days_before on balances.row_order = days_before.row_order
left join days_so_far on balances.row_order = days_so_far.row_order
