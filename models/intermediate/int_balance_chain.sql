-- Each stated balance against the one that the chain carries to it. Only a moment that states several balances needs
-- the recursion: which of them was carried on depends on whether the chain held there.
with recursive

steps as (

    select all_steps.* from {{ ref('int_balance_steps') }} as all_steps
    where true {{ pool_recon.since_restart('all_steps') }}

),

-- Where an incremental build goes on: the start that the last step carried that is kept.
kept_starts as (
    {% if pool_recon.this_build().is_incremental %}
    select
        environment,
        partner_id,
        asset,
        max(step_number) as step_number,
        {{ pool_recon.value_at_latest('carried_start', 'step_number', 'ledger_entry_id') }} as carried_start
    from {{ pool_recon.rows_that_stay(this, 'balance') }}
    group by environment, partner_id, asset
    {% else %}
    select
        environment,
        partner_id,
        asset,
        step_number,
        implied_start as carried_start
    from {{ ref('int_balance_steps') }}
    where false
    {% endif %}
),

carried as (

    select
        steps.environment,
        steps.partner_id,
        steps.asset,
        steps.step_number,
        case
            when {{ pool_recon.states_balance('steps.stated_balances', 'coalesce(kept_starts.carried_start, previous_steps.implied_start) + steps.delta_so_far') }}
                then coalesce(kept_starts.carried_start, previous_steps.implied_start)
            else steps.implied_start
        end as carried_start
    from steps
    left join kept_starts
        on
            {{ pool_recon.of_balance('steps', 'kept_starts') }}
            and steps.step_number = kept_starts.step_number + 1
    left join steps as previous_steps
        on
            {{ pool_recon.of_balance('steps', 'previous_steps') }}
            and steps.step_number = previous_steps.step_number + 1
    where
        steps.stated_balances is not null
        and previous_steps.stated_balances is null
    union all
    select
        steps.environment,
        steps.partner_id,
        steps.asset,
        steps.step_number,
        case
            when {{ pool_recon.states_balance('steps.stated_balances', 'carried.carried_start + steps.delta_so_far') }}
                then carried.carried_start
            else steps.implied_start
        end as carried_start
    from carried
    inner join steps
        on
            {{ pool_recon.of_balance('carried', 'steps') }}
            and carried.step_number + 1 = steps.step_number
    where steps.stated_balances is not null

),

started as (

    select
        steps.*,
        coalesce(carried.carried_start, steps.implied_start) as carried_start
    from steps
    left join carried
        on
            {{ pool_recon.of_balance('steps', 'carried') }}
            and steps.step_number = carried.step_number

),

chained as (

    select
        started.*,
        coalesce(
            lag(started.carried_start) over (
                partition by started.environment, started.partner_id, started.asset
                order by started.step_number
            ),
            kept_starts.carried_start
        ) + started.delta_so_far as expected_balance
    from started
    left join kept_starts
        on
            {{ pool_recon.of_balance('started', 'kept_starts') }}
            and started.step_number = kept_starts.step_number + 1

)

select
    environment,
    partner_id,
    asset,
    step_number,
    effective_at,
    ledger_entry_id,
    carried_start,
    expected_balance,
    stated_balance,
    case
        when expected_balance is null then true
        when stated_balances is null then stated_balance = expected_balance
        else {{ pool_recon.states_balance('stated_balances', 'expected_balance') }}
    end as is_chained
from chained
