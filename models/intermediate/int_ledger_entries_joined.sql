{{
    config(
        pre_hook="{{ pool_recon.note_kept_entries() }}",
        post_hook="{{ pool_recon.find_balance_restarts() }}"
    )
}}
-- Every ledger entry in force with the trade that it joins to, the rule that joined it, and whose balance it moves.
with close as (

    select * from {{ ref('int_close') }}

),

-- Most entries name their trade; the weaker rules are only tried where they do not.
by_transact_id as (

    select
        entries.*,
        trades.transact_id as joined_transact_id,
        'transact_id' as join_rule,
        trades.known_quote_id as joined_quote_id,
        trades.partner_order_id as joined_partner_order_id,
        trades.stated_environment as joined_environment,
        trades.stated_partner_id as joined_partner_id,
        trades.request_id as joined_request_id,
        trades.pool_id,
        trades.source_asset as trade_source_asset,
        trades.target_asset as trade_target_asset
    from {{ pool_recon.at_hand('int_ledger_entries_in_force') }} as entries
    inner join {{ pool_recon.at_hand('int_trades_linked') }} as trades on entries.transact_id = trades.transact_id

),

without_trade as (

    select
        entries.*,
        coalesce(quote_trades.transact_id, ref_trades.transact_id, ref_quote_trades.transact_id) as joined_transact_id,
        case
            when quote_trades.transact_id is not null then 'quote_id'
            when ref_trades.transact_id is not null then 'ledger_ref_trade'
            when ref_quote_trades.transact_id is not null then 'ledger_ref_quote'
            else 'none'
        end as join_rule
    from {{ pool_recon.at_hand('int_ledger_entries_in_force') }} as entries
    left join {{ pool_recon.at_hand('int_trades_linked') }} as named_trades on entries.transact_id = named_trades.transact_id
    left join {{ pool_recon.at_hand('int_quote_trades') }} as quote_trades on entries.quote_id = quote_trades.quote_id
    left join {{ pool_recon.at_hand('int_trades_linked') }} as ref_trades on entries.ledger_ref = ref_trades.transact_id
    left join {{ pool_recon.at_hand('int_quote_trades') }} as ref_quote_trades on entries.ledger_ref = ref_quote_trades.quote_id
    where named_trades.transact_id is null

),

-- An entry without a trade may still name a known quote.
by_other_ids as (

    select
        entries.*,
        case when trades.transact_id is null then quotes.quote_id else trades.known_quote_id end as joined_quote_id,
        case when trades.transact_id is null then quotes.partner_order_id else trades.partner_order_id end as joined_partner_order_id,
        case when trades.transact_id is null then coalesce(quotes.stated_environment, quotes.order_environment) else trades.stated_environment end as joined_environment,
        case when trades.transact_id is null then coalesce(quotes.stated_partner_id, quotes.order_partner_id) else trades.stated_partner_id end as joined_partner_id,
        case when trades.transact_id is null then coalesce(quotes.stated_request_id, quotes.order_request_id) else trades.request_id end as joined_request_id,
        case when trades.transact_id is null then quotes.pool_id else trades.pool_id end as pool_id,
        trades.source_asset as trade_source_asset,
        trades.target_asset as trade_target_asset
    from without_trade as entries
    left join {{ pool_recon.at_hand('int_trades_linked') }} as trades on entries.joined_transact_id = trades.transact_id
    left join {{ pool_recon.at_hand('int_quotes_linked') }} as named_quotes on entries.quote_id = named_quotes.quote_id
    left join {{ pool_recon.at_hand('int_quotes_linked') }} as quotes on coalesce(named_quotes.quote_id, entries.ledger_ref) = quotes.quote_id

),

joined as (

    select * from by_transact_id
    union all
    select * from by_other_ids

),

completed as (

    select
        joined.ledger_entry_id,
        joined.joined_transact_id,
        joined.joined_quote_id,
        joined.joined_partner_order_id,
        joined.join_rule,
        joined.transact_id,
        joined.quote_id,
        joined.ledger_ref,
        joined.related_entry_id,
        joined.funding_reference,
        coalesce(joined.request_id, joined.joined_request_id) as request_id,
        joined.pool_id,
        coalesce(joined.environment, joined.joined_environment, close.default_environment) as environment,
        coalesce(joined.partner_id, joined.joined_partner_id, close.default_partner) as partner_id,
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
        joined.other_contents,
        -- what the trade exchanges, for its nets
        joined.trade_source_asset,
        joined.trade_target_asset,
        joined.effective_at,
        joined.row_order
    from joined
    cross join close

)

select
    completed.*,
    {{ pool_recon.row_checksum(['completed']) }} as row_checksum
from completed
