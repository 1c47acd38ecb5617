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
funding_of_entries as (

    select
        entries.ledger_entry_id,
        funding.environment,
        funding.partner_id,
        case when funding.is_confirmed then funding.amount else 0 end as confirmed_amount,
        case
            when funding.is_confirmed and coalesce(funding.confirmed_at <= entries.effective_at, true) then funding.amount
            else 0
        end as confirmed_by_then_amount,
        coalesce(entries.stated_environment = funding.environment, true)
        and coalesce(entries.stated_partner_id = funding.partner_id, true) as is_of_entry
    from entries
    inner join funding
        on
            entries.funding_reference = funding.funding_reference
            and entries.asset = funding.asset

),

references_of_entries as (

    select
        ledger_entry_id,
        max(case when is_of_entry then environment end) as funding_environment,
        max(case when is_of_entry then partner_id end) as funding_partner_id,
        sum(case when is_of_entry then confirmed_amount else 0 end) as confirmed_amount,
        sum(case when is_of_entry then confirmed_by_then_amount else 0 end) as confirmed_by_then_amount,
        sum(confirmed_amount) as confirmed_in_all,
        sum(confirmed_by_then_amount) as confirmed_in_all_by_then,
        max(case when environment is null or partner_id is null then 1 else 0 end) as is_partly_anonymous
    from funding_of_entries
    group by ledger_entry_id
    having max(case when is_of_entry then 1 else 0 end) = 1

),

credited as (

    select
        entries.ledger_entry_id,
        references_of_entries.confirmed_amount,
        references_of_entries.confirmed_by_then_amount,
        references_of_entries.confirmed_in_all,
        references_of_entries.confirmed_in_all_by_then,
        sum(entries.delta) over (
            partition by
                references_of_entries.funding_environment,
                references_of_entries.funding_partner_id,
                entries.funding_reference,
                entries.asset
            order by entries.effective_at, entries.entry_seq nulls last, entries.ledger_entry_id
            rows between unbounded preceding and current row
        ) as credited_so_far,
        sum(entries.delta) over (
            partition by entries.funding_reference, entries.asset
            order by entries.effective_at, entries.entry_seq nulls last, entries.ledger_entry_id
            rows between unbounded preceding and current row
        ) as credited_in_all_so_far,
        max(
            case
                when entries.stated_environment is null or entries.stated_partner_id is null then 1
                else references_of_entries.is_partly_anonymous
            end
        ) over (partition by entries.funding_reference, entries.asset) = 1 as is_partly_anonymous
    from entries
    inner join references_of_entries on entries.ledger_entry_id = references_of_entries.ledger_entry_id

),

-- Where something names no environment or partner, it agrees with several that do: then one payment could answer for the
-- credits of each, and the whole of the reference is compared, too.
compared as (

    select
        *,
        is_partly_anonymous
        and credited_so_far <= confirmed_amount
        and (
            credited_in_all_so_far > confirmed_in_all
            or (
                credited_so_far <= confirmed_by_then_amount
                and credited_in_all_so_far > confirmed_in_all_by_then
            )
        ) as is_short_in_all
    from credited

)

select
    entries.ledger_entry_id,
    entries.funding_reference,
    entries.environment,
    entries.partner_id,
    entries.asset,
    entries.delta,
    compared.ledger_entry_id is not null as is_attributed,
    (select count(*) from files where files.export_name = 'funding') > 0 as has_funding_export,
    coalesce(case when compared.is_short_in_all then compared.confirmed_in_all else compared.confirmed_amount end, 0) as confirmed_amount,
    coalesce(
        case when compared.is_short_in_all then compared.confirmed_in_all_by_then else compared.confirmed_by_then_amount end, 0
    ) as confirmed_by_then_amount,
    case when compared.is_short_in_all then compared.credited_in_all_so_far else compared.credited_so_far end as credited_so_far
from entries
left join compared on entries.ledger_entry_id = compared.ledger_entry_id
