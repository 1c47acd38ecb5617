{#- Of what a movement gives and gets, the fiat: on the ramp it gives fiat, off the ramp it gets it. -#}
{% macro fiat_of(side, source, target) -%}
    case {{ side }} when 'on_ramp' then {{ source }} else {{ target }} end
{%- endmacro %}

{#- Of the two, the crypto. -#}
{% macro crypto_of(side, source, target) -%}
    {{ pool_recon.fiat_of(side, target, source) }}
{%- endmacro %}

{#- Of its fiat and its crypto, what it gives. -#}
{% macro source_of(side, fiat, crypto) -%}
    {{ pool_recon.fiat_of(side, fiat, crypto) }}
{%- endmacro %}

{#- Of the two, what it gets. -#}
{% macro target_of(side, fiat, crypto) -%}
    {{ pool_recon.fiat_of(side, crypto, fiat) }}
{%- endmacro %}
