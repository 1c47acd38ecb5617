-- Question: which finished trades have moved no balance, and is that a gap or only a matter of time?
-- How to read it: one row per trade that stands settled, released or returned at the cut-off and to which no ledger entry
-- joins. has_later_entry says that an entry has landed which takes effect at or after the cut-off; code, approval and owner
-- are those of the finding that says so: cutoff_timing_difference with such an entry, missing_ledger_entry without one.
-- No rows: the ledger knows every finished trade.
-- Why not simply join the ledger on transact_id and filter on the status of the export: an entry may name the trade only
-- by its quote or by its ledger_ref; the export may lag behind a confirmed status; and what happened at or after the
-- cut-off belongs to a later close. joined_transact_id has tried all four ways to join, effective_status has stepped
-- through the confirmations, and both facts end at the cut-off. Which statuses need an entry is reference data.
with trades as (

    select * from {{ ref('fct_reconciliation') }}
    where movement_type = 'trade'

),

entries as (

    select * from {{ ref('fct_ledger_entries') }}

),

later_postings as (

    select * from {{ ref('int_trade_later_postings') }}

),

trade_states as (

    select * from {{ ref('ref_trade_states') }}

),

exceptions as (

    select * from {{ ref('fct_exceptions') }}
    where
        subject_type = 'trade'
        and code in ('missing_ledger_entry', 'cutoff_timing_difference')

)

select
    trades.transact_id,
    trades.quote_id,
    trades.partner_order_id,
    trades.environment,
    trades.partner_id,
    trades.trade_status,
    trades.effective_status,
    trades.source_asset,
    trades.source_amount,
    later_postings.transact_id is not null as has_later_entry,
    exceptions.code,
    exceptions.approval,
    exceptions.owner,
    trades.reserved_at,
    trades.terminal_at
from trades
inner join trade_states on trades.effective_status = trade_states.status
left join entries on trades.transact_id = entries.joined_transact_id
left join later_postings on trades.transact_id = later_postings.transact_id
-- a timing difference without a later entry is about another record, a late webhook for example
left join exceptions
    on
        trades.transact_id = exceptions.subject_id
        and case when later_postings.transact_id is null then 'missing_ledger_entry' else 'cutoff_timing_difference' end = exceptions.code
where
    trade_states.requires_ledger_entry
    and entries.ledger_entry_id is null
order by trades.terminal_at, trades.transact_id
