{#-
    Trades with what their events and ledger entries state otherwise: the environments and partners that are not those of the
    trade, and in how many records. Only trades with several of either are looked at.
-#}
{% macro trades_with_other_statements() %}
with statements as (

    select
        joined_transact_id as transact_id,
        stated_environment,
        stated_partner_id
    from {{ pool_recon.at_hand('int_events_joined') }}

    union all

    select
        joined_transact_id as transact_id,
        stated_environment,
        stated_partner_id
    from {{ pool_recon.at_hand('int_ledger_entries_joined') }}

),

compared as (

    select
        trades.transact_id,
        case when statements.stated_environment <> trades.environment then statements.stated_environment end as other_environment,
        case when statements.stated_partner_id <> trades.partner_id then statements.stated_partner_id end as other_partner_id
    from {{ pool_recon.at_hand('int_trades_reconciled') }} as trades
    inner join statements on trades.transact_id = statements.transact_id
    where
        trades.lowest_environment <> trades.highest_environment
        or trades.lowest_partner_id <> trades.highest_partner_id

),

other_statements as (

    select
        transact_id,
        {{ pool_recon.text_list('other_environment') }} as other_environments,
        count(other_environment) as records_of_other_environments,
        {{ pool_recon.text_list('other_partner_id') }} as other_partners,
        count(other_partner_id) as records_of_other_partners
    from compared
    group by transact_id

)

select
    trades.*,
    other_statements.other_environments,
    other_statements.records_of_other_environments,
    other_statements.other_partners,
    other_statements.records_of_other_partners
from {{ pool_recon.at_hand('int_trades_reconciled') }} as trades
left join other_statements on trades.transact_id = other_statements.transact_id
{% endmacro %}
