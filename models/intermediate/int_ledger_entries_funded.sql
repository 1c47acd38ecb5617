-- Funding credits against the confirmed funding of their payment reference.
with entries as (

    select * from {{ pool_recon.at_hand('int_ledger_entries_joined') }}
    where entry_class = 'funding'

),

funding as (

    select * from {{ ref('int_funding_in_force') }}

),

files as (

    select * from {{ pool_recon.landed('files') }}

),

-- A side that names no environment or partner takes no part in the comparison. Funding that names none was paid once,
-- whoever is credited with it.
references_of_entries as (

    select
        entries.ledger_entry_id,
        max(funding.environment) as funding_environment,
        max(funding.partner_id) as funding_partner_id,
        sum(case when funding.is_confirmed then funding.amount end) as confirmed_amount,
        sum(
            case
                when funding.is_confirmed and coalesce(funding.confirmed_at <= entries.effective_at, true) then funding.amount
            end
        ) as confirmed_by_then_amount
    from entries
    inner join funding
        on
            entries.funding_reference = funding.funding_reference
            and entries.asset = funding.asset
            and coalesce(entries.stated_environment = funding.environment, true)
            and coalesce(entries.stated_partner_id = funding.partner_id, true)
    group by entries.ledger_entry_id

)

select
    entries.ledger_entry_id,
    entries.funding_reference,
    entries.environment,
    entries.partner_id,
    entries.asset,
    entries.delta,
    references_of_entries.ledger_entry_id is not null as is_attributed,
    (select count(*) from files where files.export_name = 'funding') > 0 as has_funding_export,
    coalesce(references_of_entries.confirmed_amount, 0) as confirmed_amount,
    coalesce(references_of_entries.confirmed_by_then_amount, 0) as confirmed_by_then_amount,
    case
        when references_of_entries.ledger_entry_id is not null
            then sum(case when references_of_entries.ledger_entry_id is not null then entries.delta end) over (
                partition by
                    references_of_entries.funding_environment,
                    references_of_entries.funding_partner_id,
                    entries.funding_reference,
                    entries.asset
                order by entries.effective_at, entries.entry_seq nulls last, entries.ledger_entry_id
                rows between unbounded preceding and current row
            )
    end as credited_so_far
from entries
left join references_of_entries on entries.ledger_entry_id = references_of_entries.ledger_entry_id
