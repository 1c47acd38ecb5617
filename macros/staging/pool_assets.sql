{#- The side of a movement of which no record says one. -#}
{% macro default_side() -%}
    on_ramp
{%- endmacro %}

{#- A pool id of this form names its fiat and its crypto asset. -#}
{% macro pool_pair_pattern() -%}
    [A-Z]{3}-[A-Z0-9]{2,}
{%- endmacro %}

{#- The first asset of such a pool id; any other pool id names none. -#}
{% macro pool_fiat(pool_id) -%}
    case when {{ pool_recon.matches_whole(pool_id, pool_recon.pool_pair_pattern()) }} then {{ pool_recon.part_of(pool_id, '-', 1) }} end
{%- endmacro %}

{#- The second one. -#}
{% macro pool_crypto(pool_id) -%}
    case when {{ pool_recon.matches_whole(pool_id, pool_recon.pool_pair_pattern()) }} then {{ pool_recon.part_of(pool_id, '-', 2) }} end
{%- endmacro %}

{#- The asset that is given for a quote: as stated, else from its pool by side. -#}
{% macro source_asset(stated_asset, pool_id, side) -%}
    coalesce({{ stated_asset }}, {{ pool_recon.source_of(side, pool_recon.pool_fiat(pool_id), pool_recon.pool_crypto(pool_id)) }})
{%- endmacro %}

{#- The same of what is received. -#}
{% macro target_asset(stated_asset, pool_id, side) -%}
    coalesce({{ stated_asset }}, {{ pool_recon.target_of(side, pool_recon.pool_fiat(pool_id), pool_recon.pool_crypto(pool_id)) }})
{%- endmacro %}
