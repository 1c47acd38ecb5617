-- Every entry with the environment and partner whose balance it moves.
with close as (

    select * from {{ ref('int_close') }}

),

entries as (

    select * from {{ ref('int_ledger_entries_joined') }}

),

trades as (

    select * from {{ ref('int_trades_in_force') }}

),

quotes as (

    select * from {{ ref('int_quotes_in_force') }}

),

orders as (

    select * from {{ ref('int_orders_in_force') }}

)

select
    entries.ledger_entry_id,
    entries.joined_transact_id,
    entries.joined_quote_id,
    entries.joined_partner_order_id,
    entries.join_rule,
    entries.transact_id,
    entries.quote_id,
    entries.ledger_ref,
    entries.related_entry_id,
    entries.funding_reference,
    coalesce(entries.request_id, trades.request_id, quotes.request_id, orders.request_id) as request_id,
    coalesce(trades.pool_id, quotes.pool_id, orders.pool_id) as pool_id,
    coalesce(entries.environment, trades.environment, quotes.environment, orders.environment, close.default_environment) as environment,
    coalesce(entries.partner_id, trades.partner_id, quotes.partner_id, orders.partner_id, close.default_partner) as partner_id,
    entries.environment as stated_environment,
    entries.partner_id as stated_partner_id,
    entries.entry_type,
    entries.entry_class,
    entries.asset,
    entries.amount,
    entries.delta,
    entries.balance_after,
    entries.entry_seq,
    entries.touches_balance,
    entries.needs_trade,
    entries.counts_in_source_net,
    entries.restores_debit,
    entries.balance_sign,
    entries.balance_column,
    entries.has_changed,
    entries.effective_at,
    entries.row_order
from entries
cross join close
left join trades on entries.joined_transact_id = trades.transact_id
left join quotes on entries.joined_quote_id = quotes.quote_id
left join orders on entries.joined_partner_order_id = orders.partner_order_id
