-- Question: how did an order get to the state that it is in?
-- How to read it: every landed version of the orders that came more than once, in the order in which versions count: by
-- updated_at, those without one first, then as loaded. place says what became of the row: movement or awaiting_movement is
-- the version in force, superseded an earlier one, duplicate the same as the one before it, after_cut_off too late for this
-- close. goes_back marks a pending version that counts, is no duplicate, and comes after any such version of a final state:
-- order_state_regression unless a new trade explains it.
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
        places.place,
        places.place not in ('duplicate', 'after_cut_off') as is_counted,
        row_number() over (
            partition by order_rows.partner_order_id
            order by order_rows.updated_at nulls first, order_rows.row_order
        ) as version_number,
        count(*) over (partition by order_rows.partner_order_id) as version_count,
        max(
            case
                when places.place not in ('duplicate', 'after_cut_off') and product_states.state_class in ('success', 'failed', 'returned') then 1
                else 0
            end
        ) over (
            partition by order_rows.partner_order_id
            order by order_rows.updated_at nulls first, order_rows.row_order
            rows between unbounded preceding and 1 preceding
        ) as was_final
    from order_rows
    inner join places on order_rows.row_order = places.row_order
    left join product_states on order_rows.product_state = product_states.product_state

)

select
    versions.partner_order_id,
    versions.version_number,
    versions.version_count,
    versions.product_state,
    versions.state_class,
    coalesce(versions.is_counted and versions.state_class = 'pending' and versions.was_final = 1, false) as goes_back,
    versions.place,
    versions.quote_id,
    versions.transact_id,
    versions.request_id,
    versions.created_at,
    versions.updated_at,
    versions.file_id,
    versions.row_number
from versions
where versions.version_count > 1
order by versions.partner_order_id, versions.version_number
