{#-
    Every ledger entry in force at the cut-off, with its class and its signed delta.

    Arguments:
        relation_of: what gives the relation of a model, `ref` for all rows.
-#}
{% macro ledger_entries_in_force(relation_of) %}
{%- set content = pool_recon.content_of('ledger') -%}
{%- set in_scope = 'entries.quarantine_reasons is null and entries.effective_at < ' ~ pool_recon.cut_off_at() -%}
with entry_types as (

    select * from {{ ref('ref_entry_types') }}

),

entry_classes as (

    select * from {{ ref('ref_entry_classes') }}

),

repeated_rows as (

    select row_order from {{ relation_of('int_rows_repeated') }}
    where export_name = 'ledger'

),

repeated_entries as (

    select
        entries.*,
        min(entries.row_order) over (partition by entries.ledger_entry_id) as first_row_order
    from {{ relation_of('stg_ledger') }} as entries
    inner join repeated_rows on entries.row_order = repeated_rows.row_order
    where {{ in_scope }}

),

-- The first content stays in force; what came later counts once for each content.
later_contents as (

    select distinct
        later_rows.first_row_order,
        later_rows.{{ content | join(',\n        later_rows.') }}
    from repeated_entries as later_rows
    inner join repeated_entries as first_rows on later_rows.first_row_order = first_rows.row_order
    where {{ pool_recon.differs('later_rows', 'first_rows', content) }}

),

first_entries as (

    select
        first_rows.first_row_order,
        count(later_contents.first_row_order) as other_contents
    from repeated_entries as first_rows
    left join later_contents on first_rows.row_order = later_contents.first_row_order
    where first_rows.row_order = first_rows.first_row_order
    group by first_rows.first_row_order

),

rows_not_in_force as (

    select repeated_rows.row_order
    from repeated_rows
    left join first_entries on repeated_rows.row_order = first_entries.first_row_order
    where first_entries.first_row_order is null

)

select
    entries.ledger_entry_id,
    entries.transact_id,
    entries.quote_id,
    entries.ledger_ref,
    entries.related_entry_id,
    entries.funding_reference,
    entries.request_id,
    entries.environment,
    entries.partner_id,
    entries.entry_type,
    entry_types.entry_class,
    entries.asset,
    entries.amount,
    {{ pool_recon.signed_delta('entries.amount', 'entry_classes.balance_sign') }} as delta,
    entries.balance_after,
    entries.entry_seq,
    coalesce(entry_classes.touches_balance, false) as touches_balance,
    coalesce(entry_classes.needs_trade, false) as needs_trade,
    coalesce(entry_classes.counts_in_source_net, false) as counts_in_source_net,
    coalesce(entry_classes.restores_debit, false) as restores_debit,
    entry_classes.balance_sign,
    entry_classes.balance_column,
    coalesce(first_entries.other_contents, 0) as other_contents,
    entries.effective_at,
    entries.row_order
from {{ relation_of('stg_ledger') }} as entries
left join first_entries on entries.row_order = first_entries.first_row_order
left join entry_types on entries.entry_type = entry_types.entry_type
left join entry_classes on entry_types.entry_class = entry_classes.entry_class
left join rows_not_in_force on entries.row_order = rows_not_in_force.row_order
where
    {{ in_scope }}
    and rows_not_in_force.row_order is null
{% endmacro %}
