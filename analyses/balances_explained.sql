-- Question: what made this balance what it is today?
-- How to read it: the ledger entries of the close date that touch a balance, in the order in which they count, under the
-- balance that the day opened with. carried_balance is the opening plus every delta up to this entry; its last value is
-- the closing of balances.csv. stated_difference is what the entry itself states less what is carried: a difference that
-- stays the same all day only means that the exports do not reach back to the first entry, one that changes is a break.
-- Filter on partner_id and asset, or close an earlier date to look at that day.
with close as (

    select * from {{ ref('int_close') }}

),

balances as (

    select * from {{ ref('fct_balances') }}

),

entries as (

    select * from {{ ref('fct_ledger_entries') }}
    where touches_balance

),

todays_entries as (

    select entries.*
    from entries
    cross join close
    where entries.effective_at >= close.opening_at

),

carried as (

    select
        todays_entries.*,
        balances.opening,
        balances.opening + sum(todays_entries.delta) over (
            partition by todays_entries.environment, todays_entries.partner_id, todays_entries.asset
            order by todays_entries.effective_at, todays_entries.entry_seq nulls last, todays_entries.ledger_entry_id
            rows between unbounded preceding and current row
        ) as carried_balance
    from todays_entries
    inner join balances
        on
            todays_entries.environment = balances.environment
            and todays_entries.partner_id = balances.partner_id
            and todays_entries.asset = balances.asset

)

select
    environment,
    partner_id,
    asset,
    effective_at,
    entry_seq,
    ledger_entry_id,
    entry_type,
    entry_class,
    joined_partner_order_id as partner_order_id,
    joined_quote_id as quote_id,
    joined_transact_id as transact_id,
    join_rule,
    funding_reference,
    opening,
    delta,
    carried_balance,
    balance_after,
    balance_after - carried_balance as stated_difference
from carried
order by environment, partner_id, asset, effective_at, entry_seq nulls last, ledger_entry_id
