-- What the entries of each day do to a balance: what is read of all days before one is read from here.
select
    all_entries.environment,
    all_entries.partner_id,
    all_entries.asset,
    cast({{ dbt.date_trunc('day', 'all_entries.effective_at') }} as timestamp) as effective_at,
    cast(sum(all_entries.delta) as {{ pool_recon.money_type() }}) as delta
from {{ ref('int_ledger_entries_joined') }} as all_entries
where all_entries.touches_balance {{ pool_recon.since_restart('all_entries') }}
group by
    all_entries.environment,
    all_entries.partner_id,
    all_entries.asset,
    cast({{ dbt.date_trunc('day', 'all_entries.effective_at') }} as timestamp)
