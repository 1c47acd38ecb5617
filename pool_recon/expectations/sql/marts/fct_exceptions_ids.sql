-- The record that a finding is about is in the warehouse.
select
    exceptions.exception_id as exception,
    exceptions.code || ': there is no ' || exceptions.subject_type || ' ' || exceptions.subject_id as problem
from marts.fct_exceptions as exceptions
left join intermediate.int_trades_in_force as trades
    on
        exceptions.subject_type = 'trade'
        and exceptions.subject_id = trades.transact_id
left join intermediate.int_orders_in_force as orders
    on
        exceptions.subject_type = 'order'
        and exceptions.subject_id = orders.partner_order_id
left join intermediate.int_quotes_in_force as quotes
    on
        exceptions.subject_type = 'quote'
        and exceptions.subject_id = quotes.quote_id
left join marts.fct_events as events
    on
        exceptions.subject_type = 'event'
        and exceptions.subject_id = events.event_id
left join marts.fct_ledger_entries as entries
    on
        exceptions.subject_type = 'ledger_entry'
        and exceptions.subject_id = entries.ledger_entry_id
where
    exceptions.subject_type in ('trade', 'order', 'quote', 'event', 'ledger_entry')
    and trades.transact_id is null
    and orders.partner_order_id is null
    and quotes.quote_id is null
    and events.event_id is null
    and entries.ledger_entry_id is null
