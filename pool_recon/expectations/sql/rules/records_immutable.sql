-- No ledger entry and no quote that counts at the cut-off was sent with other content, unless a finding says so and is approved.
with repeated_entries as (

    select ledger_entry_id
    from staging.stg_ledger
    group by ledger_entry_id
    having count(*) > 1

),

repeated_quotes as (

    select quote_id
    from staging.stg_quotes
    group by quote_id
    having count(*) > 1

),

changed_entries as (

    select landed.ledger_entry_id
    from staging.stg_ledger as landed
    inner join repeated_entries on landed.ledger_entry_id = repeated_entries.ledger_entry_id
    cross join intermediate.int_close as close
    where
        landed.quarantine_reasons is null
        and landed.effective_at < close.cut_off_at
    group by landed.ledger_entry_id
    having
        min(landed.amount) <> max(landed.amount)
        or min(landed.asset) <> max(landed.asset)
        or min(landed.entry_type) <> max(landed.entry_type)
        or min(landed.effective_at) <> max(landed.effective_at)

),

changed_quotes as (

    select landed.quote_id
    from staging.stg_quotes as landed
    inner join repeated_quotes on landed.quote_id = repeated_quotes.quote_id
    cross join intermediate.int_close as close
    where
        landed.quarantine_reasons is null
        and coalesce(landed.created_at, landed.accepted_at) < close.cut_off_at
    group by landed.quote_id
    having
        min(landed.source_amount) <> max(landed.source_amount)
        or min(landed.target_amount) <> max(landed.target_amount)
        or min(landed.expires_at) <> max(landed.expires_at)
        or min(landed.pool_id) <> max(landed.pool_id)

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
