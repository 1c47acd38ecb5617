-- Each stated balance against the one that the chain carries to it. Only a moment that states several balances needs
-- the recursion: which of them was carried on depends on whether the chain held there.
with recursive

carried as (

    select
        steps.environment,
        steps.partner_id,
        steps.asset,
        steps.step_number,
        case
            when {{ pool_recon.states_balance('steps.stated_balances', 'previous_steps.implied_start + steps.delta_so_far') }}
                then previous_steps.implied_start
            else steps.implied_start
        end as carried_start
    from {{ ref('int_balance_steps') }} as steps
    left join {{ ref('int_balance_steps') }} as previous_steps
        on
            steps.environment = previous_steps.environment
            and steps.partner_id = previous_steps.partner_id
            and steps.asset = previous_steps.asset
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
    inner join {{ ref('int_balance_steps') }} as steps
        on
            carried.environment = steps.environment
            and carried.partner_id = steps.partner_id
            and carried.asset = steps.asset
            and carried.step_number + 1 = steps.step_number
    where steps.stated_balances is not null

),

chained as (

    select
        steps.*,
        lag(coalesce(carried.carried_start, steps.implied_start)) over (
            partition by steps.environment, steps.partner_id, steps.asset
            order by steps.step_number
        ) + steps.delta_so_far as expected_balance
    from {{ ref('int_balance_steps') }} as steps
    left join carried
        on
            steps.environment = carried.environment
            and steps.partner_id = carried.partner_id
            and steps.asset = carried.asset
            and steps.step_number = carried.step_number

)

select
    ledger_entry_id,
    expected_balance,
    stated_balance,
    case
        when expected_balance is null then true
        when stated_balances is null then stated_balance = expected_balance
        else {{ pool_recon.states_balance('stated_balances', 'expected_balance') }}
    end as is_chained
from chained
