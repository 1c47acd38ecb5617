{#-
    Quotes of which neither they nor their trades say a side, but the order of the trade does, which may not be the quote's
    own: with that side, and the assets that follow from it. Only those that their own order leaves on another side.

    Arguments:
        quotes: a relation of `int_quotes_linked`.
        trades: one of `int_trades_linked`, or of `int_trades_reconciled`.
-#}
{% macro quotes_sided_by_trade(quotes, trades) %}
    select
        linked_quotes.quote_id,
        trades.side,
        {{ pool_recon.source_asset('linked_quotes.stated_source_asset', 'linked_quotes.pool_id', 'trades.side') }} as source_asset,
        {{ pool_recon.target_asset('linked_quotes.stated_target_asset', 'linked_quotes.pool_id', 'trades.side') }} as target_asset
    from {{ quotes }} as linked_quotes
    inner join {{ trades }} as trades on linked_quotes.first_transact_id = trades.transact_id
    where
        linked_quotes.stated_side is null
        and trades.side <> linked_quotes.side
{% endmacro %}
