-- Confirmed funding against what was credited under its reference, per reference and asset.
with close as (

    select * from {{ ref('int_close') }}

),

funding as (

    select * from {{ ref('int_funding_in_force') }}

),

credits as (

    select
        funding_reference,
        asset,
        sum(delta) as credited_amount
    from {{ ref('int_ledger_entries_funded') }}
    where is_attributed
    group by funding_reference, asset

),

confirmed as (

    select
        funding.funding_reference,
        funding.asset,
        min(coalesce(funding.environment, close.default_environment)) as environment,
        min(coalesce(funding.partner_id, close.default_partner)) as partner_id,
        sum(funding.amount) as confirmed_amount
    from funding
    cross join close
    where funding.is_confirmed
    group by funding.funding_reference, funding.asset

)

select
    confirmed.funding_reference,
    confirmed.asset,
    confirmed.environment,
    confirmed.partner_id,
    confirmed.confirmed_amount,
    coalesce(credits.credited_amount, 0) as credited_amount,
    assets.minor_unit
from confirmed
left join credits
    on
        confirmed.funding_reference = credits.funding_reference
        and confirmed.asset = credits.asset
left join {{ ref('int_assets') }} as assets on confirmed.asset = assets.asset
