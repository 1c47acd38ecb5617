-- What the ledger says of each trade, added up from its entries.
select
    trades.transact_id,
    count(entries.ledger_entry_id) as entry_count,
    sum(case when entries.counts_in_source_net and entries.asset = trades.source_asset then entries.delta end) as source_net,
    sum(case when entries.entry_class = 'settle' and entries.asset = trades.target_asset then entries.delta end) as target_net,
    max(case when entries.entry_class = 'settle' then 1 else 0 end) as has_settle_entry,
    max(case when entries.entry_class in ('return', 'refund') then 1 else 0 end) as has_return_entry,
    max(case when entries.entry_class in ('settle', 'refund', 'release', 'return') then 1 else 0 end) as has_outcome_entry
from marts.fct_reconciliation as trades
inner join classed_entries as entries on trades.transact_id = entries.joined_transact_id
where trades.movement_type = 'trade'
group by trades.transact_id
