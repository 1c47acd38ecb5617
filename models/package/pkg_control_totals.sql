-- The control totals of the manifest: counts and exact sums that a re-run must reproduce.
with assets as (

    select * from {{ ref('int_assets') }}

),

exceptions as (

    select * from {{ ref('fct_exceptions') }}

),

totals as (

    select
        'movements' as name,
        cast(count(*) as {{ dbt.type_string() }}) as value
    from {{ ref('fct_reconciliation') }}
    union all
    select
        'movements.' || reconciliation_state as name,
        cast(count(*) as {{ dbt.type_string() }}) as value
    from {{ ref('fct_reconciliation') }}
    group by reconciliation_state
    union all
    select
        'findings.' || severity as name,
        cast(count(*) as {{ dbt.type_string() }}) as value
    from exceptions
    group by severity
    union all
    select
        'ledger_entries' as name,
        cast(count(*) as {{ dbt.type_string() }}) as value
    from {{ ref('fct_ledger_entries') }}
    union all
    select
        'source_amount.' || coalesce(movements.source_asset, '') as name,
        {{ pool_recon.sum_text('movements.source_amount', 'max(assets.minor_unit)') }} as value
    from {{ ref('fct_reconciliation') }} as movements
    left join assets on movements.source_asset = assets.asset
    where movements.source_amount is not null
    group by movements.source_asset
    union all
    select
        'balance_delta.' || entries.asset as name,
        {{ pool_recon.sum_text('entries.delta', 'max(assets.minor_unit)') }} as value
    from {{ ref('fct_ledger_entries') }} as entries
    left join assets on entries.asset = assets.asset
    where
        entries.touches_balance
        and entries.delta is not null
    group by entries.asset

)

select
    name,
    value,
    name as _sort_1
from totals
