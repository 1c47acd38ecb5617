-- The steps of each prefunded balance: one per entry, or one per moment where the order of its entries is not known.
with entries as (

    select
        environment,
        partner_id,
        asset,
        effective_at,
        entry_seq,
        ledger_entry_id,
        delta,
        balance_after
    from {{ ref('int_ledger_entries_joined') }}
    where touches_balance

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

summed as (

    select
        *,
        sum(delta) over (
            partition by environment, partner_id, asset
            order by effective_at, entry_seq, ledger_entry_id
            rows between unbounded preceding and current row
        ) as delta_so_far
    from steps

)

-- What a stated balance says about the balance before the first entry; the chain holds while that does not change.
select
    environment,
    partner_id,
    asset,
    cast(row_number() over (
        partition by environment, partner_id, asset
        order by effective_at, entry_seq, ledger_entry_id
    ) as bigint) as step_number,
    effective_at,
    ledger_entry_id,
    delta,
    delta_so_far,
    stated_balance,
    stated_balances,
    stated_balance - delta_so_far as implied_start
from summed
where stated_balance is not null
