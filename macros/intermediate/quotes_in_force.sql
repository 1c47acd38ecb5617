{#-
    Every quote in force at the cut-off: the terms that came first, with acceptance and status as they were filled in.

    Arguments:
        relation_of: what gives the relation of a model, `ref` for all rows.
-#}
{% macro quotes_in_force(relation_of) %}
{%- set terms = pool_recon.terms_of_quotes() -%}
{%- set in_scope = 'quotes.quarantine_reasons is null and coalesce(coalesce(quotes.created_at, quotes.accepted_at) < ' ~ pool_recon.cut_off_at() ~ ', true)' -%}
{%- set accepted_at = 'case when quotes.accepted_at < ' ~ pool_recon.cut_off_at() ~ ' then quotes.accepted_at end' -%}
with repeated_rows as (

    select row_order from {{ relation_of('int_rows_repeated') }}
    where export_name = 'quotes'

),

-- The terms of the first row stay; acceptance and status may be filled in by later rows.
repeated_quotes as (

    select
        quotes.*,
        {{ accepted_at }} as accepted_by_cut_off_at,
        min(quotes.row_order) over (partition by quotes.quote_id) as first_row_order,
        min(case when {{ accepted_at }} is not null then quotes.row_order end) over (partition by quotes.quote_id) as accepted_row_order,
        max(case when quotes.status is not null then quotes.row_order end) over (partition by quotes.quote_id) as status_row_order
    from {{ relation_of('stg_quotes') }} as quotes
    inner join repeated_rows on quotes.row_order = repeated_rows.row_order
    where {{ in_scope }}

),

changed_quotes as (

    select
        later_terms.quote_id,
        count(*) as other_terms
    from (
        select distinct
            later_rows.quote_id,
            later_rows.{{ terms | join(',\n            later_rows.') }}
        from repeated_quotes as later_rows
        inner join repeated_quotes as first_rows on later_rows.first_row_order = first_rows.row_order
        where {{ pool_recon.differs('later_rows', 'first_rows', terms) }}
    ) as later_terms
    group by later_terms.quote_id

),

filled_in as (

    select
        quote_id,
        first_row_order,
        max(case when row_order = accepted_row_order then accepted_by_cut_off_at end) as accepted_at,
        max(case when row_order = status_row_order then status end) as status
    from repeated_quotes
    group by quote_id, first_row_order

),

rows_not_in_force as (

    select repeated_rows.row_order
    from repeated_rows
    left join filled_in on repeated_rows.row_order = filled_in.first_row_order
    where filled_in.first_row_order is null

)

select
    quotes.quote_id,
    quotes.pool_id,
    quotes.partner_order_id,
    quotes.environment,
    quotes.partner_id,
    quotes.quote_type,
    quotes.side,
    quotes.source_asset,
    quotes.target_asset,
    quotes.crypto_network,
    quotes.dest_address,
    quotes.dest_network,
    quotes.request_id,
    case when filled_in.quote_id is null then quotes.status else filled_in.status end as status,
    quotes.source_amount,
    quotes.target_amount,
    quotes.rate,
    quotes.spread_bps,
    quotes.fee_bps,
    coalesce(changed_quotes.other_terms, 0) as other_terms,
    quotes.created_at,
    case when filled_in.quote_id is null then {{ accepted_at }} else filled_in.accepted_at end as accepted_at,
    quotes.expires_at,
    quotes.row_order
from {{ relation_of('stg_quotes') }} as quotes
left join filled_in on quotes.row_order = filled_in.first_row_order
left join changed_quotes on filled_in.quote_id = changed_quotes.quote_id
left join rows_not_in_force on quotes.row_order = rows_not_in_force.row_order
where
    {{ in_scope }}
    and rows_not_in_force.row_order is null
{% endmacro %}
