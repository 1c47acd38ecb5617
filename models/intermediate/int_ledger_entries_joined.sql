-- Every ledger entry in force with the trade that it joins to, the rule that joined it, and whose balance it moves.
with close as (

    select * from {{ ref('int_close') }}

),

entries as (

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

-- Most entries name their trade; the weaker rules are only tried where they do not.
by_transact_id as (

    select
        entries.*,
        trades.transact_id as known_transact_id
    from entries
    left join trades on entries.transact_id = trades.transact_id

),

by_other_ids as (

    select
        entries.ledger_entry_id,
        coalesce(quote_trades.transact_id, ref_trades.transact_id, ref_quote_trades.transact_id) as transact_id,
        case
            when quote_trades.transact_id is not null then 'quote_id'
            when ref_trades.transact_id is not null then 'ledger_ref_trade'
            when ref_quote_trades.transact_id is not null then 'ledger_ref_quote'
        end as join_rule,
        coalesce(quotes.quote_id, ref_quotes.quote_id) as known_quote_id,
        case when quotes.quote_id is not null then quotes.partner_order_id else ref_quotes.partner_order_id end as partner_order_id,
        case
            when quotes.quote_id is not null then coalesce(quotes.stated_environment, quotes.order_environment)
            else coalesce(ref_quotes.stated_environment, ref_quotes.order_environment)
        end as stated_environment,
        case
            when quotes.quote_id is not null then coalesce(quotes.stated_partner_id, quotes.order_partner_id)
            else coalesce(ref_quotes.stated_partner_id, ref_quotes.order_partner_id)
        end as stated_partner_id,
        case
            when quotes.quote_id is not null then coalesce(quotes.stated_request_id, quotes.order_request_id)
            else coalesce(ref_quotes.stated_request_id, ref_quotes.order_request_id)
        end as request_id,
        coalesce(quotes.pool_id, ref_quotes.pool_id) as pool_id
    from by_transact_id as entries
    left join quote_trades on entries.quote_id = quote_trades.quote_id
    left join trades as ref_trades on entries.ledger_ref = ref_trades.transact_id
    left join quote_trades as ref_quote_trades on entries.ledger_ref = ref_quote_trades.quote_id
    left join quotes on entries.quote_id = quotes.quote_id
    left join quotes as ref_quotes on entries.ledger_ref = ref_quotes.quote_id
    where entries.known_transact_id is null

),

joined as (

    select
        entries.*,
        coalesce(entries.known_transact_id, by_other_ids.transact_id) as joined_transact_id,
        case
            when entries.known_transact_id is not null then 'transact_id'
            else coalesce(by_other_ids.join_rule, 'none')
        end as join_rule,
        by_other_ids.known_quote_id as named_quote_id,
        by_other_ids.partner_order_id as named_partner_order_id,
        by_other_ids.stated_environment as named_environment,
        by_other_ids.stated_partner_id as named_partner_id,
        by_other_ids.request_id as named_request_id,
        by_other_ids.pool_id as named_pool_id
    from by_transact_id as entries
    left join by_other_ids on entries.ledger_entry_id = by_other_ids.ledger_entry_id

)

select
    joined.ledger_entry_id,
    joined.joined_transact_id,
    case when trades.transact_id is null then joined.named_quote_id else trades.known_quote_id end as joined_quote_id,
    case when trades.transact_id is null then joined.named_partner_order_id else trades.partner_order_id end as joined_partner_order_id,
    joined.join_rule,
    joined.transact_id,
    joined.quote_id,
    joined.ledger_ref,
    joined.related_entry_id,
    joined.funding_reference,
    coalesce(joined.request_id, trades.request_id, case when trades.transact_id is null then joined.named_request_id end) as request_id,
    coalesce(trades.pool_id, case when trades.transact_id is null then joined.named_pool_id end) as pool_id,
    coalesce(
        joined.environment, trades.stated_environment,
        case when trades.transact_id is null then joined.named_environment end,
        close.default_environment
    ) as environment,
    coalesce(
        joined.partner_id, trades.stated_partner_id,
        case when trades.transact_id is null then joined.named_partner_id end,
        close.default_partner
    ) as partner_id,
    joined.environment as stated_environment,
    joined.partner_id as stated_partner_id,
    joined.entry_type,
    joined.entry_class,
    joined.asset,
    joined.amount,
    joined.delta,
    joined.balance_after,
    joined.entry_seq,
    joined.touches_balance,
    joined.needs_trade,
    joined.counts_in_source_net,
    joined.restores_debit,
    joined.balance_sign,
    joined.balance_column,
    joined.has_changed,
    -- what the trade exchanges, for its nets
    trades.source_asset as trade_source_asset,
    trades.target_asset as trade_target_asset,
    joined.effective_at,
    joined.row_order
from joined
cross join close
left join trades on joined.joined_transact_id = trades.transact_id
