{{ config(materialized='view') }}
-- Where the entries of now give another balance than the last close before this one has published. Both are of one moment:
-- where this close is of the next date, of that with which it opens, so that what a change of the time zone puts into
-- neither close or into both is seen too; where dates lie between, of the earlier cut-off, because what moved since then is
-- no change of what was published.
with close as (

    select * from {{ ref('int_close') }}

),

earlier_closes as (

    select
        closes.close_date,
        closes.run_number,
        row_number() over (order by closes.close_date desc) as recency
    from {{ ref('closes_in_force') }} as closes
    cross join close
    where closes.close_date < close.close_date

),

published as (

    select
        balances.environment,
        balances.partner_id,
        balances.asset,
        balances.closing,
        balances.close_date,
        balances.cut_off_at,
        case
            when {{ dbt.datediff('balances.close_date', 'close.close_date', 'day') }} = 1 or balances.cut_off_at > close.opening_at
                then close.opening_at
            else balances.cut_off_at
        end as compared_at
    from {{ ref('close_balances') }} as balances
    inner join earlier_closes
        on
            balances.close_date = earlier_closes.close_date
            and balances.run_number = earlier_closes.run_number
    cross join close
    where earlier_closes.recency = 1

),

-- Nothing where no close came before, or one of which no balances were kept.
moment as (

    select
        max(close_date) as close_date,
        max(cut_off_at) as cut_off_at,
        max(compared_at) as compared_at,
        max(cast({{ dbt.date_trunc('day', 'compared_at') }} as timestamp)) as compared_day
    from published

),

-- The days before that of the moment, and of its own day what was before it.
deltas as (

    select
        days.environment,
        days.partner_id,
        days.asset,
        days.delta
    from {{ ref('int_balance_days') }} as days
    cross join moment
    where days.effective_at < moment.compared_day
    union all
    select
        entries.environment,
        entries.partner_id,
        entries.asset,
        entries.delta
    from {{ ref('int_ledger_entries_joined') }} as entries
    cross join moment
    where
        entries.touches_balance
        and entries.effective_at >= moment.compared_day
        and entries.effective_at < moment.compared_at

),

summed as (

    select
        environment,
        partner_id,
        asset,
        sum(published) as published,
        sum(restated) as restated
    from (
        select
            environment,
            partner_id,
            asset,
            closing as published,
            cast(0 as {{ pool_recon.money_type() }}) as restated
        from published
        where asset is not null
        union all
        select
            environment,
            partner_id,
            asset,
            cast(0 as {{ pool_recon.money_type() }}) as published,
            delta as restated
        from deltas
    ) as both_sides
    group by
        environment,
        partner_id,
        asset

),

restated as (

    select
        environment,
        partner_id,
        asset,
        cast(published as {{ pool_recon.money_type() }}) as published,
        cast(restated as {{ pool_recon.money_type() }}) as restated,
        cast(restated - published as {{ pool_recon.money_type() }}) as difference
    from summed
    where restated <> published

)

select
    restated.environment,
    restated.partner_id,
    restated.asset,
    {%- for column in ['published', 'restated', 'difference'] %}
    restated.{{ column }},
    {{ pool_recon.amount_text('restated.' ~ column, 'assets.minor_unit') }} as {{ column }}_text,
    {%- endfor %}
    moment.close_date as published_on,
    moment.cut_off_at as published_cut_off_at,
    moment.compared_at
from restated
cross join moment
left join {{ ref('ref_assets') }} as assets on restated.asset = assets.asset
