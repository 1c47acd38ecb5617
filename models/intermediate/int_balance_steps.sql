-- The steps of each prefunded balance: one per entry, or one per moment where the order of its entries is not known.
-- depends_on: {{ ref('int_balance_days') }}
with entries as (

    select
        all_entries.environment,
        all_entries.partner_id,
        all_entries.asset,
        all_entries.effective_at,
        all_entries.entry_seq,
        all_entries.ledger_entry_id,
        all_entries.delta,
        all_entries.balance_after
    from {{ ref('int_ledger_entries_joined') }} as all_entries
    where all_entries.touches_balance {{ pool_recon.since_restart('all_entries') }}

),

-- A moment in which any entry lacks its sequence is one step.
unordered_moments as (

    select distinct
        environment,
        partner_id,
        asset,
        effective_at
    from entries
    where entry_seq is null

),

placed as (

    select
        entries.*,
        unordered_moments.effective_at is not null as is_unordered
    from entries
    left join unordered_moments
        on
            entries.environment = unordered_moments.environment
            and entries.partner_id = unordered_moments.partner_id
            and entries.asset = unordered_moments.asset
            and entries.effective_at = unordered_moments.effective_at

),

steps as (

    select
        environment,
        partner_id,
        asset,
        effective_at,
        entry_seq,
        ledger_entry_id,
        delta,
        balance_after as stated_balance,
        cast(null as {{ dbt.type_string() }}) as stated_balances
    from placed
    where not is_unordered
    union all
    select
        environment,
        partner_id,
        asset,
        effective_at,
        cast(null as decimal(20, 0)) as entry_seq,
        max(ledger_entry_id) as ledger_entry_id,
        sum(delta) as delta,
        {{ pool_recon.value_at_latest('balance_after', 'effective_at', 'ledger_entry_id', 'balance_after is not null') }} as stated_balance,
        case
            when min(balance_after) <> max(balance_after)
                then {{ pool_recon.text_list('cast(balance_after as ' ~ dbt.type_string() ~ ')') }}
        end as stated_balances
    from placed
    where is_unordered
    group by environment, partner_id, asset, effective_at

),

{% if pool_recon.this_build().is_incremental -%}
-- What all entries before the restart did to a balance, and how many steps are kept.
bases as (

    select
        restarts.environment,
        restarts.partner_id,
        restarts.asset,
        sum(earlier_days.delta) as delta_so_far,
        max(kept_steps.step_count) as step_count
    from {{ pool_recon.relation_at_hand('restarts') }} as restarts
    left join {{ ref('int_balance_days') }} as earlier_days
        on
            {{ pool_recon.of_balance('restarts', 'earlier_days') }}
            and earlier_days.effective_at < restarts.restart_at
    left join (
        select
            environment,
            partner_id,
            asset,
            count(*) as step_count
        from {{ pool_recon.rows_that_stay(this, 'balance') }}
        group by environment, partner_id, asset
    ) as kept_steps on {{ pool_recon.of_balance('restarts', 'kept_steps') }}
    group by restarts.environment, restarts.partner_id, restarts.asset

),

{% endif -%}
summed as (

    select
        steps.*,
        sum(steps.delta) over (
            partition by steps.environment, steps.partner_id, steps.asset
            order by steps.effective_at, steps.entry_seq, steps.ledger_entry_id
            rows between unbounded preceding and current row
        ) {{ '+ coalesce(bases.delta_so_far, 0)' if pool_recon.this_build().is_incremental }} as delta_so_far,
        {{ 'coalesce(bases.step_count, 0)' if pool_recon.this_build().is_incremental else '0' }} as step_count
    from steps
    {{ 'left join bases on ' ~ pool_recon.of_balance('steps', 'bases') if pool_recon.this_build().is_incremental }}

)

-- What a stated balance says about the balance before the first entry; the chain holds while that does not change.
select
    environment,
    partner_id,
    asset,
    cast(step_count + row_number() over (
        partition by environment, partner_id, asset
        order by effective_at, entry_seq, ledger_entry_id
    ) as bigint) as step_number,
    effective_at,
    ledger_entry_id,
    delta_so_far,
    stated_balance,
    stated_balances,
    stated_balance - delta_so_far as implied_start
from summed
where stated_balance is not null
