-- Which findings are on which movement: those of its trade, its order, its quote, its events and entries, and of the
-- rows of those. A finding of a row counts for the record that the row is in force as.
with row_findings as (

    select * from {{ ref('findings_approved') }} as findings
    where
        subject_type = 'export_row'
        and row_order is not null

),

-- The trade that a finding of an event or entry names is the one that it joins to; where it joins to none, there is no
-- such trade.
subjects as (

    select
        exception_id,
        code,
        is_blocking,
        approval,
        case when subject_type in ('event', 'ledger_entry') then 'trade' else subject_type end as record_type,
        case when subject_type in ('event', 'ledger_entry') then transact_id else subject_id end as record_id
    from {{ ref('findings_approved') }}
    where subject_type in ('trade', 'order', 'quote', 'event', 'ledger_entry')
    {% for record_type, model, record_id in [
        ('trade', 'int_trades_in_force', 'transact_id'),
        ('order', 'int_orders_in_force', 'partner_order_id'),
        ('quote', 'int_quotes_linked', 'quote_id'),
        ('trade', 'int_events_joined', 'joined_transact_id'),
        ('trade', 'int_ledger_entries_joined', 'joined_transact_id'),
    ] -%}
    union all
    select
        row_findings.exception_id,
        row_findings.code,
        row_findings.is_blocking,
        row_findings.approval,
        '{{ record_type }}' as record_type,
        records.{{ record_id }} as record_id
    from {{ ref(model) }} as records
    inner join row_findings on records.row_order = row_findings.row_order
    {% endfor %}

),

placed as (
    {% for record_type, record_id in [('trade', 'transact_id'), ('order', 'known_partner_order_id'), ('quote', 'known_quote_id')] %}
    select
        movements.movement_id,
        movements.movement_type,
        subjects.exception_id,
        subjects.code,
        subjects.is_blocking,
        subjects.approval
    from {{ ref('int_movements') }} as movements
    inner join subjects
        on
            movements.{{ record_id }} = subjects.record_id
            and subjects.record_type = '{{ record_type }}'
    {{ 'union distinct' if not loop.last }}
    {%- endfor %}

)

select * from placed
