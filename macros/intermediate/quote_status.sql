{#-
    What became of a quote by the cut-off, whatever its own status says of a trade or of its expiry.

    Arguments:
        status: expression of its own status.
        has_trade: condition that a trade in force names it.
        expires_at: expression of its expiry.
        cut_off_at: expression of the cut-off.
-#}
{% macro quote_status(status, has_trade, expires_at, cut_off_at) -%}
    case
        when {{ status }} = 'rejected' then 'rejected'
        when {{ has_trade }} then 'consumed'
        when {{ expires_at }} <= {{ cut_off_at }} then 'expired'
        else 'active'
    end
{%- endmacro %}
