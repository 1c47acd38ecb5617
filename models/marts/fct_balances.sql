-- The roll-forward of each prefunded balance over the close date.
with reported_balances as (

    select
        *,
        row_number() over (partition by environment, partner_id, asset order by as_of desc) as recency
    from {{ ref('int_balances_in_force') }}

),

summed as (

    {{ pool_recon.rolled_entries() }}

),

keys as (

    select
        environment,
        partner_id,
        asset
    from summed
    union distinct
    select
        environment,
        partner_id,
        asset
    from reported_balances

),

balances as (

    select
        keys.environment,
        keys.partner_id,
        keys.asset,
        {%- for column in pool_recon.rolled_columns() %}
        cast(coalesce(summed.{{ column }}, 0) as {{ pool_recon.money_type() }}) as {{ column }},
        {%- endfor %}
        reported_balances.balance as reported_balance,
        reported_balances.as_of as reported_as_of
    from keys
    left join summed
        on
            keys.environment = summed.environment
            and keys.partner_id = summed.partner_id
            and keys.asset = summed.asset
    left join reported_balances
        on
            keys.environment = reported_balances.environment
            and keys.partner_id = reported_balances.partner_id
            and keys.asset = reported_balances.asset
            and reported_balances.recency = 1

)

select
    balances.environment,
    balances.partner_id,
    balances.asset,
    {%- for column in pool_recon.rolled_columns() + ['reported_balance'] %}
    balances.{{ column }},
    {{ pool_recon.amount_text('balances.' ~ column, 'assets.minor_unit') }} as {{ column }}_text,
    {%- endfor %}
    balances.reported_as_of
from balances
left join {{ ref('ref_assets') }} as assets on balances.asset = assets.asset
