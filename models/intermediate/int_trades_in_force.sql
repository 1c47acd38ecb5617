with trade_states as (

    select * from {{ ref('ref_trade_states') }}

),

repeated_rows as (

    select row_order from {{ pool_recon.at_hand('int_rows_repeated') }}
    where export_name = 'trades'

),

duplicates as (

    select row_order from {{ pool_recon.at_hand('int_rows_set_aside') }}
    where
        export_name = 'trades'
        and disposition = 'duplicate'

),

-- Only trades that came more than once have versions to rank. A version counts until the cut-off; one whose terminal
-- time is at or after the cut-off tells what the trade became, not how it stood.
versions as (

    select
        trade_rows.transact_id,
        trade_rows.status,
        trade_rows.updated_at,
        trade_rows.row_order,
        trade_states.is_terminal,
        coalesce(trade_rows.updated_at < {{ pool_recon.cut_off_at() }}, true) as is_counted,
        coalesce(trade_rows.terminal_at < {{ pool_recon.cut_off_at() }}, true) as is_as_it_stood,
        count(*) over (partition by trade_rows.transact_id) as version_count
    from {{ pool_recon.at_hand('stg_trades') }} as trade_rows
    inner join repeated_rows on trade_rows.row_order = repeated_rows.row_order
    inner join trade_states on trade_rows.status = trade_states.status
    left join duplicates on trade_rows.row_order = duplicates.row_order
    where
        coalesce(coalesce(trade_rows.reserved_at, trade_rows.terminal_at) < {{ pool_recon.cut_off_at() }}, true)
        and duplicates.row_order is null

),

ranked as (

    select
        *,
        row_number() over (
            partition by transact_id
            order by
                case when is_counted and is_as_it_stood then 0 when is_counted then 1 else 2 end asc,
                case when is_counted then updated_at end desc nulls last,
                case when is_counted then row_order end desc nulls last,
                updated_at asc,
                row_order asc
        ) as rank_in_force,
        max(case when is_counted and is_as_it_stood and is_terminal then 1 else 0 end) over (
            partition by transact_id
            order by updated_at nulls first, row_order
            rows between unbounded preceding and 1 preceding
        ) as was_terminal,
        lag(status) over (
            partition by transact_id, is_counted, is_as_it_stood
            order by updated_at nulls first, row_order
        ) as previous_status
    from versions

),

histories as (

    select
        transact_id,
        max(case when status = 'settled' then 1 else 0 end) as has_settled_version,
        max(case when status = 'failed' then 1 else 0 end) as has_failed_version,
        max(case when status = 'released' then 1 else 0 end) as has_released_version,
        max(case when status = 'returned' then 1 else 0 end) as has_returned_version,
        sum(case when status = 'reserved' and was_terminal = 1 and previous_status <> 'reserved' then 1 else 0 end) as times_gone_back
    from ranked
    where
        is_counted
        and is_as_it_stood
        and version_count > 1
    group by transact_id

),

rows_not_in_force as (

    select repeated_rows.row_order
    from repeated_rows
    left join ranked
        on
            repeated_rows.row_order = ranked.row_order
            and ranked.rank_in_force = 1
    where ranked.row_order is null

)

select
    trade_rows.transact_id,
    trade_rows.quote_id,
    trade_rows.idempotency_key,
    trade_rows.pool_id,
    trade_rows.side,
    trade_rows.environment,
    trade_rows.partner_id,
    trade_rows.partner_order_id,
    trade_rows.crypto_network,
    trade_rows.request_id,
    -- null: not known from the trade itself, to be taken from its events
    case when coalesce(trade_rows.terminal_at < {{ pool_recon.cut_off_at() }}, true) then trade_rows.status end as status,
    trade_rows.fiat_amount,
    trade_rows.crypto_amount,
    coalesce(histories.has_settled_version, 0) = 1 as has_settled_version,
    coalesce(histories.has_failed_version, 0) = 1 as has_failed_version,
    coalesce(histories.has_released_version, 0) = 1 as has_released_version,
    coalesce(histories.has_returned_version, 0) = 1 as has_returned_version,
    cast(coalesce(histories.times_gone_back, 0) as {{ dbt.type_bigint() }}) as times_gone_back,
    trade_rows.reserved_at,
    case when trade_rows.terminal_at < {{ pool_recon.cut_off_at() }} then trade_rows.terminal_at end as terminal_at,
    trade_rows.updated_at,
    trade_rows.row_order
from {{ pool_recon.at_hand('stg_trades') }} as trade_rows
left join ranked
    on
        trade_rows.row_order = ranked.row_order
        and ranked.rank_in_force = 1
left join histories on ranked.transact_id = histories.transact_id
left join rows_not_in_force on trade_rows.row_order = rows_not_in_force.row_order
where
    trade_rows.quarantine_reasons is null
    and coalesce(coalesce(trade_rows.reserved_at, trade_rows.terminal_at) < {{ pool_recon.cut_off_at() }}, true)
    and rows_not_in_force.row_order is null
