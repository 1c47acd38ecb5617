-- What the ledger says of each trade that entries join to, added up from them.
select
    entries.joined_transact_id as transact_id,
    count(*) as entry_count,
    sum(case when entries.counts_in_source_net and entries.asset = trades.source_asset then entries.delta end) as source_net,
    sum(case when entries.entry_class = 'settle' and entries.asset = trades.target_asset then entries.delta end) as target_net,
    max(case when entries.entry_class = 'settle' then 1 else 0 end) as has_settle_entry,
    max(case when entries.entry_class in ('return', 'refund') then 1 else 0 end) as has_return_entry,
    max(case when entries.entry_class in ('settle', 'refund', 'release', 'return') then 1 else 0 end) as has_outcome_entry
from classed_entries as entries
left join marts.fct_reconciliation as trades
    on
        trades.movement_type = 'trade'
        and entries.joined_transact_id = trades.transact_id
where entries.joined_transact_id is not null
group by entries.joined_transact_id
