with entries as (

    select * from {{ ref('int_ledger_entries_in_force') }}

),

trades as (

    select * from {{ ref('int_trades_linked') }}

),

quote_trades as (

    select * from {{ ref('int_quote_trades') }}

),

quotes as (

    select * from {{ ref('int_quotes_linked') }}

),

-- Most entries name their trade; the weaker rules are only tried where none does.
by_transact_id as (

    select
        entries.*,
        trades.transact_id as joined_transact_id
    from entries
    left join trades on entries.transact_id = trades.transact_id

),

by_other_ids as (

    select
        entries.ledger_entry_id,
        coalesce(quote_trades.transact_id, ref_trades.transact_id, ref_quote_trades.transact_id) as joined_transact_id,
        case
            when quote_trades.transact_id is not null then 'quote_id'
            when ref_trades.transact_id is not null then 'ledger_ref_trade'
            when ref_quote_trades.transact_id is not null then 'ledger_ref_quote'
        end as join_rule,
        coalesce(quotes.quote_id, ref_quotes.quote_id) as named_quote_id
    from by_transact_id as entries
    left join quote_trades on entries.quote_id = quote_trades.quote_id
    left join trades as ref_trades on entries.ledger_ref = ref_trades.transact_id
    left join quote_trades as ref_quote_trades on entries.ledger_ref = ref_quote_trades.quote_id
    left join quotes on entries.quote_id = quotes.quote_id
    left join quotes as ref_quotes on entries.ledger_ref = ref_quotes.quote_id
    where entries.joined_transact_id is null

),

joined as (

    select
        entries.ledger_entry_id,
        coalesce(entries.joined_transact_id, by_other_ids.joined_transact_id) as joined_transact_id,
        case
            when entries.joined_transact_id is not null then 'transact_id'
            else coalesce(by_other_ids.join_rule, 'none')
        end as join_rule,
        by_other_ids.named_quote_id
    from by_transact_id as entries
    left join by_other_ids on entries.ledger_entry_id = by_other_ids.ledger_entry_id

)

select
    entries.ledger_entry_id,
    joined.joined_transact_id,
    coalesce(trades.known_quote_id, case when trades.transact_id is null then joined.named_quote_id end) as joined_quote_id,
    coalesce(trades.partner_order_id, quotes.partner_order_id) as joined_partner_order_id,
    joined.join_rule,
    entries.transact_id,
    entries.quote_id,
    entries.ledger_ref,
    entries.related_entry_id,
    entries.funding_reference,
    entries.request_id,
    entries.environment,
    entries.partner_id,
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
inner join joined on entries.ledger_entry_id = joined.ledger_entry_id
left join trades on joined.joined_transact_id = trades.transact_id
left join quotes
    on
        joined.joined_transact_id is null
        and joined.named_quote_id = quotes.quote_id
