{#- A text that matches the timestamp pattern as a UTC timestamp without zone, null where no such moment
    exists (30 February) or where it leaves the years 1 to 9999. Digits beyond the microsecond are cut. -#}
{% macro utc_timestamp(column) -%}
    {{ return(adapter.dispatch('utc_timestamp', 'pool_recon')(column)) }}
{%- endmacro %}

{% macro default__utc_timestamp(column) -%}
    case
        when epoch_us(try_cast({{ column }} as timestamptz)) between -62135596800000000 and 253402300799999999
            then make_timestamp(epoch_us(try_cast({{ column }} as timestamptz)))
    end
{%- endmacro %}
