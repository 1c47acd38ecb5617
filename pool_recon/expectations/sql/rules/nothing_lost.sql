-- Every landed row is staged, a duplicate, superseded or in quarantine, counted again from the rows; none is in quarantine unapproved.
with landed as (

    select
        'orders' as export_name,
        count(*) as landed
    from raw.orders
    union all
    select
        'quotes' as export_name,
        count(*) as landed
    from raw.quotes
    union all
    select
        'trades' as export_name,
        count(*) as landed
    from raw.trades
    union all
    select
        'events' as export_name,
        count(*) as landed
    from raw.events
    union all
    select
        'ledger' as export_name,
        count(*) as landed
    from raw.ledger
    union all
    select
        'funding' as export_name,
        count(*) as landed
    from raw.funding
    union all
    select
        'balances' as export_name,
        count(*) as landed
    from raw.balances
    union all
    select
        'pools' as export_name,
        count(*) as landed
    from raw.pools

),

records as (

    select
        'orders' as export_name,
        count(*) as staged
    from (
        select distinct
            partner_order_id as key_1
        from staging.stg_orders
        where quarantine_reasons is null
    ) as ids
    union all
    select
        'quotes' as export_name,
        count(*) as staged
    from (
        select distinct
            quote_id as key_1
        from staging.stg_quotes
        where quarantine_reasons is null
    ) as ids
    union all
    select
        'trades' as export_name,
        count(*) as staged
    from (
        select distinct
            transact_id as key_1
        from staging.stg_trades
        where quarantine_reasons is null
    ) as ids
    union all
    select
        'events' as export_name,
        count(*) as staged
    from (
        select distinct
            event_id as key_1
        from staging.stg_events
        where quarantine_reasons is null
    ) as ids
    union all
    select
        'ledger' as export_name,
        count(*) as staged
    from (
        select distinct
            ledger_entry_id as key_1
        from staging.stg_ledger
        where quarantine_reasons is null
    ) as ids
    union all
    select
        'funding' as export_name,
        count(*) as staged
    from (
        select distinct
            funding_reference as key_1,
            confirmed_at as key_2
        from staging.stg_funding
        where quarantine_reasons is null
    ) as ids
    union all
    select
        'balances' as export_name,
        count(*) as staged
    from (
        select distinct
            coalesce(environment, close.default_environment) as key_1,
            coalesce(partner_id, close.default_partner) as key_2,
            asset as key_3,
            as_of as key_4
        from staging.stg_balances
        cross join intermediate.int_close as close
        where quarantine_reasons is null
    ) as ids
    union all
    select
        'pools' as export_name,
        count(*) as staged
    from (
        select distinct
            environment as key_1,
            partner_id as key_2,
            pool_id as key_3,
            seen_at as key_4
        from staging.stg_pools
        where quarantine_reasons is null
    ) as ids

),

unread as (

    select
        'orders' as export_name,
        count(*) as quarantined
    from staging.stg_orders
    where quarantine_reasons is not null
    union all
    select
        'quotes' as export_name,
        count(*) as quarantined
    from staging.stg_quotes
    where quarantine_reasons is not null
    union all
    select
        'trades' as export_name,
        count(*) as quarantined
    from staging.stg_trades
    where quarantine_reasons is not null
    union all
    select
        'events' as export_name,
        count(*) as quarantined
    from staging.stg_events
    where quarantine_reasons is not null
    union all
    select
        'ledger' as export_name,
        count(*) as quarantined
    from staging.stg_ledger
    where quarantine_reasons is not null
    union all
    select
        'funding' as export_name,
        count(*) as quarantined
    from staging.stg_funding
    where quarantine_reasons is not null
    union all
    select
        'balances' as export_name,
        count(*) as quarantined
    from staging.stg_balances
    where quarantine_reasons is not null
    union all
    select
        'pools' as export_name,
        count(*) as quarantined
    from staging.stg_pools
    where quarantine_reasons is not null

),

set_aside as (

    select
        export_name,
        count(*) as row_count
    from intermediate.int_rows_set_aside
    group by export_name

)

select
    subject_type,
    subject_id,
    code as problem
from standing_findings
where rule_name = 'nothing_lost'
union all
select
    'export' as subject_type,
    exports.export_name as subject_id,
    landed.landed || ' rows landed; ' || records.staged || ' records, ' || coalesce(set_aside.row_count, 0) || ' set aside, ' || unread.quarantined || ' in quarantine' as problem
from reference.ref_exports as exports
left join landed on exports.export_name = landed.export_name
left join records on exports.export_name = records.export_name
left join unread on exports.export_name = unread.export_name
left join set_aside on exports.export_name = set_aside.export_name
left join marts.fct_conservation as published on exports.export_name = published.export_name
where
    landed.landed is distinct from records.staged + coalesce(set_aside.row_count, 0) + unread.quarantined
    or landed.landed is distinct from published.landed
    or records.staged is distinct from published.staged
    or unread.quarantined is distinct from published.quarantined
    or coalesce(set_aside.row_count, 0) is distinct from published.duplicates + published.superseded
