-- The roll-forward of each prefunded balance over the close date.
with close as (

    select * from {{ ref('int_close') }}

),

entries as (

    select * from {{ ref('int_ledger_entries_joined') }}
    where touches_balance

),

reported_balances as (

    select
        *,
        row_number() over (partition by environment, partner_id, asset order by as_of desc) as recency
    from {{ ref('int_balances_in_force') }}

),

summed as (

    select
        entries.environment,
        entries.partner_id,
        entries.asset,
        sum(case when entries.effective_at < close.opening_at then entries.delta else 0 end) as opening,
        {%- for column in ['funding', 'debits', 'refunds', 'returns', 'fees', 'adjustments'] %}
        sum(case when entries.effective_at >= close.opening_at and entries.balance_column = '{{ column }}' then entries.delta else 0 end) as {{ column }},
        {%- endfor %}
        sum(entries.delta) as closing
    from entries
    cross join close
    group by entries.environment, entries.partner_id, entries.asset

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
        {%- for column in ['opening', 'funding', 'debits', 'refunds', 'returns', 'fees', 'adjustments', 'closing'] %}
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
    {%- for column in ['opening', 'funding', 'debits', 'refunds', 'returns', 'fees', 'adjustments', 'closing', 'reported_balance'] %}
    balances.{{ column }},
    {{ pool_recon.amount_text('balances.' ~ column, 'assets.minor_unit') }} as {{ column }}_text,
    {%- endfor %}
    balances.reported_as_of
from balances
left join {{ ref('ref_assets') }} as assets on balances.asset = assets.asset
