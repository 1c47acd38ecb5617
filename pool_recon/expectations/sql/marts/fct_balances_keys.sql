-- One row per environment, partner and asset, with every amount of the roll-forward.
select
    coalesce(environment, '') || ':' || coalesce(partner_id, '') || ':' || coalesce(asset, '') as balance,
    'stands ' || count(*) || ' times, or lacks a value' as problem
from marts.fct_balances
group by environment, partner_id, asset
having
    count(*) > 1
    or environment is null
    or partner_id is null
    or asset is null
    or count(opening + funding + debits + refunds + returns + fees + adjustments + closing) < count(*)
