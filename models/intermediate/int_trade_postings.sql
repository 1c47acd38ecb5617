with entries as (

    select * from {{ ref('int_ledger_entries_joined') }}
    where joined_transact_id is not null

),

trades as (

    select * from {{ ref('int_trades_valued') }}

)

select
    entries.joined_transact_id as transact_id,
    count(*) as entry_count,
    {{ pool_recon.text_list('entries.ledger_entry_id') }} as ledger_entry_ids,
    sum(case when entries.counts_in_source_net and entries.asset = trades.source_asset then entries.delta end) as source_net,
    sum(case when entries.entry_class = 'settle' and entries.asset = trades.target_asset then entries.delta end) as target_net,
    max(case when entries.entry_class = 'settle' then 1 else 0 end) = 1 as has_settle_entry,
    max(case when entries.entry_class in ('return', 'refund') then 1 else 0 end) = 1 as has_return_entry,
    max(case when entries.entry_class in ('settle', 'refund', 'release', 'return') then 1 else 0 end) = 1 as has_outcome_entry,
    min(entries.environment) as lowest_environment,
    max(entries.environment) as highest_environment,
    min(entries.partner_id) as lowest_partner_id,
    max(entries.partner_id) as highest_partner_id
from entries
inner join trades on entries.joined_transact_id = trades.transact_id
group by entries.joined_transact_id
