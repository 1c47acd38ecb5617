-- No ledger entry, quote or event that counts at the cut-off was sent with other content, unless a finding says so and is approved.
with repeated_entries as (

    select ledger_entry_id
    from staging.stg_ledger
    group by ledger_entry_id
    having count(*) > 1

),

changed_entries as (

    select contents.ledger_entry_id
    from (
        select distinct
            landed.ledger_entry_id,
            landed.entry_type,
            landed.asset,
            landed.amount,
            landed.effective_at,
            landed.transact_id,
            landed.quote_id,
            landed.ledger_ref,
            landed.balance_after,
            landed.entry_seq,
            landed.related_entry_id,
            landed.funding_reference,
            landed.environment,
            landed.partner_id,
            landed.request_id
        from staging.stg_ledger as landed
        inner join repeated_entries on landed.ledger_entry_id = repeated_entries.ledger_entry_id
        cross join intermediate.int_close as close
        where
            landed.quarantine_reasons is null
            and landed.effective_at < close.cut_off_at
    ) as contents
    group by contents.ledger_entry_id
    having count(*) > 1

),

repeated_quotes as (

    select quote_id
    from staging.stg_quotes
    group by quote_id
    having count(*) > 1

),

changed_quotes as (

    select contents.quote_id
    from (
        select distinct
            landed.quote_id,
            landed.pool_id,
            landed.source_amount,
            landed.target_amount,
            landed.expires_at,
            landed.partner_order_id,
            landed.environment,
            landed.partner_id,
            landed.quote_type,
            landed.side,
            landed.source_asset,
            landed.target_asset,
            landed.rate,
            landed.spread_bps,
            landed.fee_bps,
            landed.crypto_network,
            landed.dest_address,
            landed.dest_network,
            landed.created_at,
            landed.request_id
        from staging.stg_quotes as landed
        inner join repeated_quotes on landed.quote_id = repeated_quotes.quote_id
        cross join intermediate.int_close as close
        where
            landed.quarantine_reasons is null
            and coalesce(coalesce(landed.created_at, landed.accepted_at) < close.cut_off_at, true)
    ) as contents
    group by contents.quote_id
    having count(*) > 1

),

repeated_events as (

    select event_id
    from staging.stg_events
    group by event_id
    having count(*) > 1

),

changed_events as (

    select contents.event_id
    from (
        select distinct
            landed.event_id,
            landed.transact_id,
            landed.quote_id,
            landed.status,
            landed.occurred_at,
            landed.environment,
            landed.partner_id
        from staging.stg_events as landed
        inner join repeated_events on landed.event_id = repeated_events.event_id
        cross join intermediate.int_close as close
        where
            landed.quarantine_reasons is null
            and landed.received_at < close.cut_off_at
    ) as contents
    group by contents.event_id
    having count(*) > 1

)

select
    subject_type,
    subject_id,
    code as problem
from standing_findings
where rule_name = 'records_immutable'
union all
select
    'ledger_entry' as subject_type,
    entries.ledger_entry_id as subject_id,
    'came with other content' as problem
from changed_entries
inner join marts.fct_ledger_entries as entries on changed_entries.ledger_entry_id = entries.ledger_entry_id
left join excused
    on
        excused.code = 'ledger_entry_changed'
        and entries.ledger_entry_id = excused.subject_id
where excused.subject_id is null
union all
select
    'quote' as subject_type,
    quotes.quote_id as subject_id,
    'came with other terms' as problem
from changed_quotes
inner join intermediate.int_quotes_in_force as quotes on changed_quotes.quote_id = quotes.quote_id
left join excused
    on
        excused.code = 'quote_terms_changed'
        and quotes.quote_id = excused.subject_id
where excused.subject_id is null
union all
select
    'event' as subject_type,
    events.event_id as subject_id,
    'came with other content' as problem
from changed_events
inner join marts.fct_events as events on changed_events.event_id = events.event_id
left join excused
    on
        excused.code = 'event_conflict'
        and events.event_id = excused.subject_id
where excused.subject_id is null
