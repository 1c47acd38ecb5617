{{ config(materialized='view') }}
{%- set content = [
    'entry_type', 'asset', 'amount', 'effective_at', 'transact_id', 'quote_id', 'ledger_ref', 'balance_after',
    'entry_seq', 'related_entry_id', 'funding_reference', 'environment', 'partner_id', 'request_id',
] -%}
with close as (

    select * from {{ ref('int_close') }}

),

entry_types as (

    select * from {{ ref('ref_entry_types') }}

),

entry_classes as (

    select * from {{ ref('ref_entry_classes') }}

),

entry_rows as (

    select * from {{ ref('stg_ledger') }}
    where
        quarantine_reasons is null
        and effective_at < (select close.cut_off_at from close)

),

repeated_keys as (

    select
        ledger_entry_id,
        min(row_order) as first_row_order
    from entry_rows
    group by ledger_entry_id
    having count(*) > 1

),

repeated_rows as (

    select
        entry_rows.*,
        repeated_keys.first_row_order
    from entry_rows
    inner join repeated_keys on entry_rows.ledger_entry_id = repeated_keys.ledger_entry_id

),

changed_entries as (

    select distinct later_rows.ledger_entry_id
    from repeated_rows as later_rows
    inner join repeated_rows as first_rows on later_rows.first_row_order = first_rows.row_order
    where {{ pool_recon.differs('later_rows', 'first_rows', content) }}

)

select
    entry_rows.ledger_entry_id,
    entry_rows.transact_id,
    entry_rows.quote_id,
    entry_rows.ledger_ref,
    entry_rows.related_entry_id,
    entry_rows.funding_reference,
    entry_rows.request_id,
    entry_rows.environment,
    entry_rows.partner_id,
    entry_rows.entry_type,
    entry_types.entry_class,
    entry_rows.asset,
    entry_rows.amount,
    {{ pool_recon.signed_delta('entry_rows.amount', 'entry_classes.balance_sign') }} as delta,
    entry_rows.balance_after,
    entry_rows.entry_seq,
    coalesce(entry_classes.touches_balance, false) as touches_balance,
    coalesce(entry_classes.needs_trade, false) as needs_trade,
    coalesce(entry_classes.counts_in_source_net, false) as counts_in_source_net,
    coalesce(entry_classes.restores_debit, false) as restores_debit,
    entry_classes.balance_sign,
    entry_classes.balance_column,
    changed_entries.ledger_entry_id is not null as has_changed,
    entry_rows.effective_at,
    entry_rows.row_order
from entry_rows
left join repeated_keys on entry_rows.ledger_entry_id = repeated_keys.ledger_entry_id
left join entry_types on entry_rows.entry_type = entry_types.entry_type
left join entry_classes on entry_types.entry_class = entry_classes.entry_class
left join changed_entries on entry_rows.ledger_entry_id = changed_entries.ledger_entry_id
where
    repeated_keys.ledger_entry_id is null
    or entry_rows.row_order = repeated_keys.first_row_order
