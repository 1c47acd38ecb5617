-- The roll-forward of each prefunded balance over the close date.
with reported_balances as (

    select
        *,
        row_number() over (partition by environment, partner_id, asset order by as_of desc) as recency
    from {{ ref('int_balances_in_force') }}

),

mismatches as (

    select row_order
    from {{ ref('findings_of_balances') }}
    where code = 'balance_mismatch'

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
        -- At the moment of the report: what the ledger has at the close may be another balance.
        case when reported_balances.row_order is not null then mismatches.row_order is not null end as has_balance_mismatch,
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
    left join mismatches on reported_balances.row_order = mismatches.row_order

)

select
    balances.environment,
    balances.partner_id,
    balances.asset,
    {%- for column in pool_recon.rolled_columns() + ['reported_balance'] %}
    balances.{{ column }},
    {{ pool_recon.amount_text('balances.' ~ column, 'assets.minor_unit') }} as {{ column }}_text,
    {%- endfor %}
    balances.has_balance_mismatch,
    balances.reported_as_of
from balances
left join {{ ref('ref_assets') }} as assets on balances.asset = assets.asset
