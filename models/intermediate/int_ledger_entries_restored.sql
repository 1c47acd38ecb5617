-- Refunds, releases and returns against the debits and reserves that they give back, per trade and asset.
with credits as (

    select
        ledger_entry_id,
        joined_transact_id,
        asset,
        related_entry_id,
        effective_at,
        -- what joins to no trade has nothing in common with what joins to none either
        case
            when joined_transact_id is not null
                then sum(delta) over (
                    partition by joined_transact_id, asset
                    order by effective_at, entry_seq nulls last, ledger_entry_id
                    rows between unbounded preceding and current row
                )
        end as credited_so_far
    from {{ pool_recon.at_hand('int_ledger_entries_joined') }}
    where restores_debit

),

debits as (

    select
        entries.ledger_entry_id,
        entries.joined_transact_id,
        entries.asset,
        entries.delta,
        entries.effective_at
    from {{ pool_recon.at_hand('int_ledger_entries_joined') }} as entries
    where
        entries.entry_class in ('debit', 'reserve')
        and entries.joined_transact_id is not null

),

restored_trades as (

    select distinct joined_transact_id from credits

),

debits_of_trades as (

    select
        debits.joined_transact_id,
        debits.asset,
        min(debits.effective_at) as first_debited_at,
        -sum(debits.delta) as debited_amount
    from debits
    inner join restored_trades on debits.joined_transact_id = restored_trades.joined_transact_id
    group by debits.joined_transact_id, debits.asset

)

select
    credits.ledger_entry_id,
    coalesce(debits_of_trades.debited_amount, 0) as debited_amount,
    credits.credited_so_far,
    coalesce(debits_of_trades.first_debited_at <= credits.effective_at, false) as has_earlier_debit,
    credits.related_entry_id is null or related_debits.ledger_entry_id is not null as names_its_debit
from credits
left join debits_of_trades
    on
        credits.joined_transact_id = debits_of_trades.joined_transact_id
        and credits.asset = debits_of_trades.asset
left join debits as related_debits
    on
        credits.related_entry_id = related_debits.ledger_entry_id
        and credits.joined_transact_id = related_debits.joined_transact_id
        and credits.asset = related_debits.asset
        and credits.effective_at >= related_debits.effective_at
