{#-
    Every quote with the side and the assets of its movement. They differ from those that it was linked with where neither it
    nor its trade says a side, and the order of the trade, which may not be the quote's own, says another.

    Arguments:
        quotes: a relation of `int_quotes_linked`.
        trades: one of `int_trades_linked`, or of `int_trades_reconciled`.
-#}
{% macro quotes_sided_by_trade(quotes, trades) %}
    select
        linked_quotes.*,
        coalesce(sides_of_trades.side, linked_quotes.side) as movement_side,
        case
            when sides_of_trades.side is null then linked_quotes.source_asset
            else sides_of_trades.source_asset
        end as movement_source_asset,
        case
            when sides_of_trades.side is null then linked_quotes.target_asset
            else sides_of_trades.target_asset
        end as movement_target_asset
    from {{ quotes }} as linked_quotes
    left join (
        select
            sideless_quotes.quote_id,
            trades.side,
            {{ pool_recon.source_asset('sideless_quotes.stated_source_asset', 'sideless_quotes.pool_id', 'trades.side') }} as source_asset,
            {{ pool_recon.target_asset('sideless_quotes.stated_target_asset', 'sideless_quotes.pool_id', 'trades.side') }} as target_asset
        from {{ quotes }} as sideless_quotes
        inner join {{ trades }} as trades on sideless_quotes.first_transact_id = trades.transact_id
        where
            sideless_quotes.stated_side is null
            and trades.side <> sideless_quotes.side
    ) as sides_of_trades on linked_quotes.quote_id = sides_of_trades.quote_id
{% endmacro %}
