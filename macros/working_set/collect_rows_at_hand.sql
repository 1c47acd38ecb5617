{#-
    The ids that a row names, by export: (column, kind of the id). Rows that name the same id are looked at together.
    What `ledger_ref` names may be a trade or a quote, and holds nothing together by itself.
-#}
{% macro named_ids() -%}
    {{ return({
        'orders': [('partner_order_id', 'order'), ('quote_id', 'quote'), ('transact_id', 'trade')],
        'quotes': [('quote_id', 'quote'), ('partner_order_id', 'order')],
        'trades': [('transact_id', 'trade'), ('quote_id', 'quote'), ('partner_order_id', 'order'), ('idempotency_key', 'key')],
        'events': [('event_id', 'event'), ('transact_id', 'trade'), ('quote_id', 'quote')],
        'ledger': [('ledger_entry_id', 'ledger_entry'), ('transact_id', 'trade'), ('quote_id', 'quote'), ('ledger_ref', 'reference'), ('funding_reference', 'funding')],
    }) }}
{%- endmacro %}

{#- The moments of a row that a close compares with its cut-off, by export. -#}
{% macro moments_of_rows() -%}
    {{ return({
        'orders': ['created_at', 'updated_at'],
        'quotes': ['created_at', 'accepted_at', 'expires_at'],
        'trades': ['reserved_at', 'terminal_at', 'updated_at'],
        'events': ['received_at', 'processed_at'],
        'ledger': ['effective_at'],
    }) }}
{%- endmacro %}

{#- Which rows an id of a kind leads to: (export, column). -#}
{% macro rows_of_ids() -%}
    {%- set leads = {'order': [], 'quote': [], 'trade': [], 'key': [], 'event': [], 'ledger_entry': [], 'funding': []} -%}
    {%- for export_name, columns in pool_recon.named_ids().items() -%}
        {%- for column, kind in columns if kind in leads -%}
            {%- do leads[kind].append((export_name, column)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do leads['trade'].append(('ledger', 'ledger_ref')) -%}
    {%- do leads['quote'].append(('ledger', 'ledger_ref')) -%}
    {%- do leads.update({'reference': [('trades', 'transact_id'), ('trades', 'quote_id'), ('quotes', 'quote_id')]}) -%}
    {{ return(leads) }}
{%- endmacro %}


{#-
    Collect what an incremental build has to look at: the rows that are new, those that time may still change, and whatever
    is linked to them by ids. No row that is left out shares an id with one that is collected, so that what is computed
    from the collected rows is what a full build computes.
-#}
{% macro collect_rows_at_hand() -%}
    {%- set build = pool_recon.this_build() -%}
    {%- if execute and build.is_incremental -%}
        {%- set rows = pool_recon.relation_at_hand('rows') -%}
        {%- set ids = pool_recon.relation_at_hand('ids') -%}
        {%- do pool_recon.make_table_at_hand('rows', '(export_name ' ~ dbt.type_string() ~ ', row_order bigint, round integer)') -%}
        {%- do pool_recon.make_table_at_hand('ids', '(kind ' ~ dbt.type_string() ~ ', id ' ~ dbt.type_string() ~ ', round integer)') -%}
        {%- do pool_recon.fill_table_at_hand('rows', pool_recon.first_rows_at_hand(rows, build)) -%}
        {%- do pool_recon.fill_table_at_hand('ids', pool_recon.first_ids_at_hand(ids, build)) -%}
        {%- set found = {'kinds': true} -%}
        {#- what is linked by ids is a few steps away; a chain that is longer than this has no end -#}
        {%- for round in range(1000) if found.kinds -%}
            {%- do pool_recon.fill_table_at_hand('ids', pool_recon.ids_of_rows_at_hand(rows, ids, round)) -%}
            {%- do found.update({'kinds': run_query('select distinct kind from ' ~ ids ~ ' where round = ' ~ round ~ ' order by kind').columns[0].values() | list}) -%}
            {%- if found.kinds -%}
                {%- do pool_recon.fill_table_at_hand('rows', pool_recon.rows_of_ids_at_hand(rows, ids, round, found.kinds)) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if found.kinds -%}
            {{ exceptions.raise_compiler_error('pool_recon: ids link more rows than can be followed; build once with --full-refresh') }}
        {%- endif -%}
        {%- for export_name in pool_recon.required_export_names() -%}
            {%- do pool_recon.make_table_at_hand(
                export_name,
                'as select * from ' ~ ref('stg_' ~ export_name) ~ ' where row_order in (select row_order from ' ~ rows ~ " where export_name = '" ~ export_name ~ "')"
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{% macro first_rows_at_hand(rows, build) -%}
insert into {{ rows }}
{% for export_name, moments in pool_recon.moments_of_rows().items() -%}
select '{{ export_name }}', row_order, 0
from {{ ref('stg_' ~ export_name) }}
where
    quarantine_reasons is null
    and (
        file_id > {{ build.last_file_id }}
        {%- for moment in moments %}
        or {{ moment }} >= {{ build.open_since }}
        {%- endfor %}
        {%- if export_name == 'quotes' %}
        -- a snapshot decides for the quotes that came after it
        or created_at >= (select min(seen_at) from {{ ref('stg_pools') }} where file_id > {{ build.last_file_id }} and quarantine_reasons is null)
        {%- endif %}
    )
union all
{% endfor -%}
{%- for export_name in pool_recon.export_names() if export_name not in pool_recon.moments_of_rows() %}
select '{{ export_name }}', row_order, 0 from {{ ref('stg_' ~ export_name) }} where quarantine_reasons is null
{{ 'union all' if not loop.last }}
{% endfor %}
{%- endmacro %}

{#- What was confirmed decides for every entry under its reference. -#}
{% macro first_ids_at_hand(ids, build) -%}
insert into {{ ids }}
select distinct 'funding', funding_reference, 0
from {{ ref('stg_funding') }}
where quarantine_reasons is null and (file_id > {{ build.last_file_id }} or confirmed_at >= {{ build.open_since }})
{%- endmacro %}

{% macro ids_of_rows_at_hand(rows, ids, round) -%}
insert into {{ ids }}
with
{%- for export_name, columns in pool_recon.named_ids().items() %}
picked_{{ export_name }} as (
    select {{ columns | map('first') | join(', ') }}
    from {{ ref('stg_' ~ export_name) }}
    where row_order in (select row_order from {{ rows }} where export_name = '{{ export_name }}' and round = {{ round }})
){{ ',' if not loop.last }}
{%- endfor %}
select distinct kind, id, {{ round }}
from (
    {%- for export_name, columns in pool_recon.named_ids().items() %}
    {%- set is_last_export = loop.last %}
    {%- for column, kind in columns %}
    select '{{ kind }}' as kind, {{ column }} as id
    from picked_{{ export_name }}
    where {{ column }} is not null
    {%- if kind == 'funding' %}
    and {{ column }} in (select funding_reference from {{ ref('stg_funding') }})
    {%- endif %}
    {{ 'union all' if not (loop.last and is_last_export) }}
    {%- endfor %}
    {%- endfor %}
) as named
{{ pool_recon.anti_join('named', ids, ['kind', 'id']) }}
{%- endmacro %}

{% macro rows_of_ids_at_hand(rows, ids, round, kinds) -%}
insert into {{ rows }}
select distinct export_name, row_order, {{ round + 1 }}
from (
    {%- for kind in kinds %}
    {%- set is_last_kind = loop.last %}
    {%- for export_name, column in pool_recon.rows_of_ids()[kind] %}
    select '{{ export_name }}' as export_name, staged.row_order
    from {{ ref('stg_' ~ export_name) }} as staged
    where
        staged.quarantine_reasons is null
        and staged.{{ column }} in (select id from {{ ids }} where kind = '{{ kind }}' and round = {{ round }})
    {{ 'union all' if not (loop.last and is_last_kind) }}
    {%- endfor %}
    {%- endfor %}
) as linked
{{ pool_recon.anti_join('linked', rows, ['export_name', 'row_order']) }}
{%- endmacro %}
