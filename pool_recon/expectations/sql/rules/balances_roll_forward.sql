-- Per environment, partner and asset: the ledger entries give the opening, the movements and the closing balance that are published.
with rolled as (

    select
        entries.environment,
        entries.partner_id,
        entries.asset,
        sum(case when entries.effective_at < close.opening_at then entries.delta else 0 end) as opening,
        sum(case when entries.effective_at >= close.opening_at then entries.delta else 0 end) as moved,
        sum(entries.delta) as closing
    from classed_entries as entries
    cross join intermediate.int_close as close
    where entries.touches_balance
    group by entries.environment, entries.partner_id, entries.asset

)

select
    subject_type,
    subject_id,
    code as problem
from standing_findings
where rule_name = 'balances_roll_forward'
union all
select
    'balance' as subject_type,
    coalesce(balances.environment, rolled.environment) || ':' || coalesce(balances.partner_id, rolled.partner_id) || ':' || coalesce(balances.asset, rolled.asset) as subject_id,
    'the ledger gives ' || coalesce(cast(rolled.opening as varchar), '0') || ' + ' || coalesce(cast(rolled.moved as varchar), '0') || ' = ' || coalesce(cast(rolled.closing as varchar), '0') || ', the balance says ' || coalesce(cast(balances.opening as varchar), 'nothing') || ' to ' || coalesce(cast(balances.closing as varchar), 'nothing') as problem
from marts.fct_balances as balances
full outer join rolled
    on
        balances.environment = rolled.environment
        and balances.partner_id = rolled.partner_id
        and balances.asset = rolled.asset
where
    balances.opening is distinct from coalesce(rolled.opening, 0)
    or balances.closing is distinct from coalesce(rolled.closing, 0)
    or balances.funding + balances.debits + balances.refunds + balances.returns + balances.fees + balances.adjustments is distinct from coalesce(rolled.moved, 0)
    or balances.opening + balances.funding + balances.debits + balances.refunds + balances.returns + balances.fees + balances.adjustments is distinct from balances.closing
