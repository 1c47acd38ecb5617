-- One row per ledger entry in force, none missing, and the trade that it joins to is a movement.
select
    ledger_entry_id as ledger_entry,
    'stands ' || count(*) || ' times' as problem
from marts.fct_ledger_entries
group by ledger_entry_id
having count(*) > 1
union all
select
    coalesce(facts.ledger_entry_id, entries.ledger_entry_id) as ledger_entry,
    case when facts.ledger_entry_id is null then 'is not in the fact' else 'is no entry in force' end as problem
from marts.fct_ledger_entries as facts
full outer join intermediate.int_ledger_entries_in_force as entries on facts.ledger_entry_id = entries.ledger_entry_id
where
    facts.ledger_entry_id is null
    or entries.ledger_entry_id is null
union all
select
    ledger_entry_id as ledger_entry,
    'lacks a value' as problem
from marts.fct_ledger_entries
where
    asset is null
    or amount is null
    or effective_at is null
    or environment is null
    or partner_id is null
    or join_rule is null
union all
select
    entries.ledger_entry_id as ledger_entry,
    'joins to ' || entries.joined_transact_id || ', which is no movement' as problem
from marts.fct_ledger_entries as entries
left join marts.fct_reconciliation as trades
    on
        trades.movement_type = 'trade'
        and entries.joined_transact_id = trades.transact_id
where
    entries.joined_transact_id is not null
    and trades.transact_id is null
