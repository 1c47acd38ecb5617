{#-
    Every event in force at the cut-off: the deliveries of the same content as one.

    Arguments:
        relation_of: what gives the relation of a model, `ref` for all rows.
-#}
{% macro events_in_force(relation_of) %}
{%- set content = pool_recon.content_of('events') -%}
{%- set in_scope = 'deliveries.quarantine_reasons is null and deliveries.received_at < ' ~ pool_recon.cut_off_at() -%}
{%- set processed_at = 'case when deliveries.processed_at < ' ~ pool_recon.cut_off_at() ~ ' then deliveries.processed_at end' -%}
{%- set has_processed_at_column = 'deliveries.file_id in (select processing_files.file_id from processing_files)' -%}
with

-- whether the file of a delivery has the column at all
processing_files as (

    select distinct file_id
    from {{ pool_recon.landed('file_columns') }}
    where contract_column = 'processed_at'

),

repeated_rows as (

    select row_order from {{ relation_of('int_rows_repeated') }}
    where export_name = 'events'

),

repeated_deliveries as (

    select
        deliveries.*,
        {{ processed_at }} as processed_by_cut_off_at,
        {{ has_processed_at_column }} as has_processed_at_column,
        min(deliveries.row_order) over (partition by deliveries.event_id) as first_row_order
    from {{ relation_of('stg_events') }} as deliveries
    inner join repeated_rows on deliveries.row_order = repeated_rows.row_order
    where {{ in_scope }}

),

compared as (

    select
        repeated_deliveries.*,
        {{ pool_recon.differs('repeated_deliveries', 'first_deliveries', content) }} as is_changed
    from repeated_deliveries
    inner join repeated_deliveries as first_deliveries
        on repeated_deliveries.first_row_order = first_deliveries.row_order

),

-- Deliveries of the same content are one event: the earliest times, and valid if any delivery was.
merged as (

    select
        first_row_order,
        min(case when not is_changed then received_at end) as received_at,
        min(case when not is_changed then processed_by_cut_off_at end) as processed_at,
        max(case when not is_changed and signature_result = 'valid' then 1 else 0 end) = 1 as has_valid_delivery,
        max(case when not is_changed and has_processed_at_column then 1 else 0 end) = 1 as has_processed_at_column
    from compared
    group by first_row_order

),

later_contents as (

    select
        contents.first_row_order,
        count(*) as other_contents
    from (
        select distinct
            first_row_order,
            {{ content | join(',\n            ') }}
        from compared
        where is_changed
    ) as contents
    group by contents.first_row_order

),

rows_not_in_force as (

    select repeated_rows.row_order
    from repeated_rows
    left join merged on repeated_rows.row_order = merged.first_row_order
    where merged.first_row_order is null

),

events as (

    select
        deliveries.event_id,
        deliveries.transact_id,
        deliveries.quote_id,
        deliveries.request_id,
        deliveries.environment,
        deliveries.partner_id,
        deliveries.status,
        deliveries.source,
        case when merged.has_valid_delivery then 'valid' else deliveries.signature_result end as signature_result,
        deliveries.processing_attempts,
        deliveries.payload_ref,
        coalesce(later_contents.other_contents, 0) as other_contents,
        coalesce(merged.has_processed_at_column, {{ has_processed_at_column }}) as has_processed_at_column,
        deliveries.occurred_at,
        coalesce(merged.received_at, deliveries.received_at) as received_at,
        case when merged.first_row_order is null then {{ processed_at }} else merged.processed_at end as processed_at,
        deliveries.row_order
    from {{ relation_of('stg_events') }} as deliveries
    left join merged on deliveries.row_order = merged.first_row_order
    left join later_contents on deliveries.row_order = later_contents.first_row_order
    left join rows_not_in_force on deliveries.row_order = rows_not_in_force.row_order
    where
        {{ in_scope }}
        and rows_not_in_force.row_order is null

)

select
    *,
    {{ pool_recon.is_trusted('source', 'signature_result') }} as is_trusted
from events
{% endmacro %}
