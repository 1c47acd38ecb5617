{{ config(materialized='view') }}
-- The movements of the close with what identifies them: every trade, every order without one, every accepted quote
-- that neither of them shows.
select
    transact_id as movement_id,
    'trade' as movement_type,
    transact_id,
    partner_order_id,
    known_quote_id as quote_id
from {{ ref('int_trades_reconciled') }}
union all
select
    partner_order_id as movement_id,
    'order' as movement_type,
    cast(null as {{ dbt.type_string() }}) as transact_id,
    partner_order_id,
    shown_quote_id as quote_id
from {{ ref('int_orders_reconciled') }}
where has_no_trade
union all
select
    quote_id as movement_id,
    'quote' as movement_type,
    cast(null as {{ dbt.type_string() }}) as transact_id,
    partner_order_id,
    quote_id
from {{ ref('int_quotes_reconciled') }}
where is_own_movement
