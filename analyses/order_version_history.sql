-- Question: how did an order get to the state that it is in?
-- How to read it: every landed version of the orders that came more than once, in the order in which versions count: by
-- updated_at, those without one first, then as loaded. place says what became of the row: movement or awaiting_movement is
-- the version in force, superseded an earlier one, duplicate the same as the one before it, after_cut_off too late for this
-- close. goes_back marks the step from a final state to a pending one, a finding unless a new trade explains it.
with order_rows as (

    select * from {{ ref('stg_orders') }}
    where quarantine_reasons is null

),

product_states as (

    select * from {{ ref('ref_product_states') }}

),

places as (

    select * from {{ ref('fct_row_places') }}
    where export_name = 'orders'

),

versions as (

    select
        order_rows.*,
        product_states.state_class,
        row_number() over (
            partition by order_rows.partner_order_id
            order by order_rows.updated_at nulls first, order_rows.row_order
        ) as version_number,
        count(*) over (partition by order_rows.partner_order_id) as version_count,
        lag(product_states.state_class) over (
            partition by order_rows.partner_order_id
            order by order_rows.updated_at nulls first, order_rows.row_order
        ) as previous_state_class
    from order_rows
    left join product_states on order_rows.product_state = product_states.product_state

)

select
    versions.partner_order_id,
    versions.version_number,
    versions.version_count,
    versions.product_state,
    versions.state_class,
    coalesce(versions.previous_state_class in ('success', 'failed', 'returned') and versions.state_class = 'pending', false) as goes_back,
    places.place,
    versions.quote_id,
    versions.transact_id,
    versions.request_id,
    versions.created_at,
    versions.updated_at,
    versions.file_id,
    versions.row_number
from versions
inner join places on versions.row_order = places.row_order
where versions.version_count > 1
order by versions.partner_order_id, versions.version_number
