-- What the ledger says of each trade.
with entries as (

    select * from {{ pool_recon.at_hand('int_ledger_entries_joined') }}
    where joined_transact_id is not null

)

select
    joined_transact_id as transact_id,
    count(*) as entry_count,
    {{ pool_recon.id_list('ledger_entry_id') }} as ledger_entry_ids,
    sum(case when counts_in_source_net and asset = trade_source_asset then delta end) as source_net,
    sum(case when entry_class = 'settle' and asset = trade_target_asset then delta end) as target_net,
    max(case when entry_class = 'settle' then 1 else 0 end) = 1 as has_settle_entry,
    max(case when entry_class in ('return', 'refund') then 1 else 0 end) = 1 as has_return_entry,
    max(case when entry_class in ('settle', 'refund', 'release', 'return') then 1 else 0 end) = 1 as has_outcome_entry,
    min(stated_environment) as lowest_environment,
    max(stated_environment) as highest_environment,
    min(stated_partner_id) as lowest_partner_id,
    max(stated_partner_id) as highest_partner_id
from entries
group by joined_transact_id
