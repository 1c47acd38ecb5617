{#-
    Ids of records that have landed and do not exist yet for this close, because all that is known of them lies at or after
    the cut-off. What names one is of that record, and of nothing that exists already.

    Arguments:
        staged: the staging model of the export.
        in_force: the model of its records in force.
        id: the column with the id in both.
        own_time: the time of a row that decides whether it is in scope.
-#}
{% macro ids_to_come(staged, in_force, id, own_time) %}
    select distinct staged_rows.{{ id }}
    from {{ pool_recon.at_hand(staged) }} as staged_rows
    left join {{ pool_recon.at_hand(in_force) }} as in_force on staged_rows.{{ id }} = in_force.{{ id }}
    where
        staged_rows.quarantine_reasons is null
        and {{ own_time }} >= {{ pool_recon.cut_off_at() }}
        and in_force.{{ id }} is null
{% endmacro %}

{% macro trades_to_come() %}
    {{- pool_recon.ids_to_come('stg_trades', 'int_trades_in_force', 'transact_id', 'coalesce(staged_rows.reserved_at, staged_rows.terminal_at)') }}
{% endmacro %}

{% macro orders_to_come() %}
    {{- pool_recon.ids_to_come('stg_orders', 'int_orders_in_force', 'partner_order_id', 'staged_rows.created_at') }}
{% endmacro %}
