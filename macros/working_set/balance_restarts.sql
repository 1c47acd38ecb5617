{#-
    The chain of a balance goes on from where it was, as long as nothing before that has changed. From which day on an
    incremental build has to follow each balance anew is found by comparing the entries at hand with what was kept of them.
-#}
{% macro note_kept_entries() -%}
    {%- if execute and pool_recon.this_build().is_incremental -%}
        {%- do pool_recon.make_tables_at_hand({
            'kept_entries': 'as select ' ~ pool_recon.chained_columns() ~ ' from ' ~ this
            ~ ' where touches_balance and row_order in (select row_order from ' ~ pool_recon.relation_at_hand('rows') ~ ')'
        }) -%}
    {%- endif -%}
{%- endmacro %}

{#- An entry that was kept and is no longer found as it was, or is found and was not kept, restarts its balance on its day. -#}
{% macro find_balance_restarts() -%}
    {%- set build = pool_recon.this_build() -%}
    {%- if execute and build.is_incremental -%}
        {%- set kept = 'select ' ~ pool_recon.chained_columns() ~ ' from ' ~ pool_recon.relation_at_hand('kept_entries') -%}
        {%- set found = 'select ' ~ pool_recon.chained_columns() ~ ' from ' ~ pool_recon.kept_rows_at_hand(this, model.columns.keys()) ~ ' where touches_balance' -%}
        {%- do pool_recon.make_tables_at_hand({
            'restarts': "as select environment, partner_id, asset, cast(date_trunc('day', min(effective_at)) as timestamp) as restart_at"
            ~ ' from ((' ~ kept ~ ' except all ' ~ found ~ ') union all (' ~ found ~ ' except all ' ~ kept ~ ')) as moved group by environment, partner_id, asset'
        }) -%}
    {%- endif -%}
{%- endmacro %}

{#- What of an entry decides how the chain goes on: one that is the same in these restarts nothing. -#}
{% macro chained_columns() -%}
    environment, partner_id, asset, effective_at, entry_seq, ledger_entry_id, delta, balance_after
{%- endmacro %}


{#-
    A condition that holds for the rows of a balance that an incremental build follows anew; nothing in a full one. The
    earliest restart of all tells an engine which parts of a table it need not read.
-#}
{% macro since_restart(rows) -%}
    {%- if pool_recon.this_build().is_incremental -%}
        and {{ rows }}.effective_at >= (select min(restarts.restart_at) from {{ pool_recon.relation_at_hand('restarts') }} as restarts)
        and exists (select 1 from {{ pool_recon.relation_at_hand('restarts') }} as restarts where {{ pool_recon.of_balance('restarts', rows) }} and {{ rows }}.effective_at >= restarts.restart_at)
    {%- endif -%}
{%- endmacro %}

{#- True where two rows are of the same balance. -#}
{% macro of_balance(left, right) -%}
    {{ left }}.environment = {{ right }}.environment and {{ left }}.partner_id = {{ right }}.partner_id and {{ left }}.asset = {{ right }}.asset
{%- endmacro %}
