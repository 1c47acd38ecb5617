-- Question: what moved this balance today, and on behalf of which movement?
-- How to read it: the ledger entries of the close date that touch a balance, in the order in which they count.
-- balance_before of the first is the opening of balances.csv, ledger_balance of the last its closing. stated_difference is
-- what the entry itself states less what is carried: one that stays the same all day only means that the exports do not
-- reach back to the first entry, one that changes is a break. Filter on partner_id and asset; for the balance at another
-- moment read fct_balance_entries itself, which reaches back to the first entry.
with close as (

    select * from {{ ref('int_close') }}

),

entries as (

    select * from {{ ref('fct_balance_entries') }}

),

movements as (

    select * from {{ ref('fct_reconciliation') }}
    where movement_type = 'trade'

)

select
    entries.environment,
    entries.partner_id,
    entries.asset,
    entries.entry_position,
    entries.effective_at,
    entries.ledger_entry_id,
    entries.entry_type,
    entries.joined_partner_order_id as partner_order_id,
    entries.joined_quote_id as quote_id,
    entries.joined_transact_id as transact_id,
    entries.funding_reference,
    movements.effective_status,
    movements.reconciliation_state,
    entries.balance_before,
    entries.delta,
    entries.ledger_balance,
    entries.stated_balance,
    entries.stated_balance - entries.ledger_balance as stated_difference
from entries
inner join close on entries.effective_at >= close.opening_at
left join movements on entries.joined_transact_id = movements.transact_id
order by entries.environment, entries.partner_id, entries.asset, entries.entry_position
