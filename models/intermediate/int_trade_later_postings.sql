-- What the ledger entries that take effect at or after the cut-off will do to each trade.
with entries_in_force as (

    select * from {{ pool_recon.at_hand('int_ledger_entries_joined') }}

),

entry_types as (

    select * from {{ ref('ref_entry_types') }}

),

entry_classes as (

    select * from {{ ref('ref_entry_classes') }}

),

-- What names one of these, or its quote, is of it and of no trade that exists already.
trades_to_come as (

    select * from {{ pool_recon.at_hand('int_trades_later') }}

),

quotes_to_come as (

    select distinct trades_to_come.quote_id from trades_to_come

),

later_rows as (

    select
        ledger.*,
        row_number() over (partition by ledger.ledger_entry_id order by ledger.row_order) as rank_in_force
    from {{ pool_recon.at_hand('stg_ledger') }} as ledger
    left join entries_in_force on ledger.ledger_entry_id = entries_in_force.ledger_entry_id
    where
        ledger.quarantine_reasons is null
        and ledger.effective_at >= {{ pool_recon.cut_off_at() }}
        and entries_in_force.ledger_entry_id is null

),

later_entries as (

    select
        coalesce(
            trades.transact_id, quote_trades.transact_id, ref_trades.transact_id, ref_quote_trades.transact_id
        ) as transact_id,
        entry_classes.entry_class,
        coalesce(entry_classes.counts_in_source_net, false) as counts_in_source_net,
        later_rows.asset,
        {{ pool_recon.signed_delta('later_rows.amount', 'entry_classes.balance_sign') }} as delta
    from later_rows
    left join entry_types on later_rows.entry_type = entry_types.entry_type
    left join entry_classes on entry_types.entry_class = entry_classes.entry_class
    left join {{ pool_recon.at_hand('int_trades_linked') }} as trades on later_rows.transact_id = trades.transact_id
    left join trades_to_come on later_rows.transact_id = trades_to_come.transact_id
    left join {{ pool_recon.at_hand('int_quote_trades') }} as quote_trades on later_rows.quote_id = quote_trades.quote_id
    left join quotes_to_come on later_rows.quote_id = quotes_to_come.quote_id
    left join {{ pool_recon.at_hand('int_trades_linked') }} as ref_trades
        on
            quotes_to_come.quote_id is null
            and later_rows.ledger_ref = ref_trades.transact_id
    left join trades_to_come as ref_trades_to_come on later_rows.ledger_ref = ref_trades_to_come.transact_id
    left join {{ pool_recon.at_hand('int_quote_trades') }} as ref_quote_trades
        on
            quotes_to_come.quote_id is null
            and ref_trades_to_come.transact_id is null
            and later_rows.ledger_ref = ref_quote_trades.quote_id
    where
        later_rows.rank_in_force = 1
        and trades_to_come.transact_id is null

)

select
    later_entries.transact_id,
    sum(case when later_entries.counts_in_source_net and later_entries.asset = trades.source_asset then later_entries.delta end) as source_net,
    sum(case when later_entries.entry_class = 'settle' and later_entries.asset = trades.target_asset then later_entries.delta end) as target_net,
    max(case when later_entries.entry_class = 'settle' then 1 else 0 end) = 1 as has_settle_entry,
    max(case when later_entries.entry_class in ('return', 'refund') then 1 else 0 end) = 1 as has_return_entry
from later_entries
inner join {{ pool_recon.at_hand('int_trades_linked') }} as trades on later_entries.transact_id = trades.transact_id
group by later_entries.transact_id
