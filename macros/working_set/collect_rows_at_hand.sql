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

{#- The moments of a row that a close compares with its cut-off, by export: (column, the limit before the cut-off that it is
    compared with as well, if any). -#}
{% macro moments_of_rows() -%}
    {{ return({
        'orders': [('created_at', 'grace_period_seconds'), ('updated_at', none)],
        'quotes': [('created_at', none), ('accepted_at', none), ('expires_at', none)],
        'trades': [('reserved_at', none), ('terminal_at', none), ('updated_at', none)],
        'events': [('received_at', 'processing_limit_seconds'), ('processed_at', none)],
        'ledger': [('effective_at', none)],
    }) }}
{%- endmacro %}

{#-
    From which moment on a row may look otherwise at this close than at the last one, as SQL.

    Arguments:
        build: what this_build gives.
        limit: the name of the limit before the cut-off that the moment is compared with; none for the cut-off itself.
-#}
{% macro open_since(build, limit=none) -%}
    {%- set seconds = pool_recon.limit_seconds(limit) if limit else 0 -%}
    cast('{{ build.last_cut_off_at - modules.datetime.timedelta(seconds=seconds) }}' as timestamp)
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
        {%- do pool_recon.make_tables_at_hand({
            'rows': '(export_name ' ~ dbt.type_string() ~ ', row_order bigint, round integer)',
            'ids': '(kind ' ~ dbt.type_string() ~ ', id ' ~ dbt.type_string() ~ ', round integer)',
        }) -%}
        {%- do pool_recon.fill_tables_at_hand([
            ('rows', pool_recon.first_rows_at_hand(rows, build)),
            ('ids', pool_recon.first_ids_at_hand(ids, build)),
        ]) -%}
        {%- set found = {'kinds': true} -%}
        {#- what is linked by ids is a few steps away; to follow a longer chain costs more than to look at all rows -#}
        {%- set rounds = 50 -%}
        {%- for round in range(rounds) if found.kinds -%}
            {%- do pool_recon.fill_tables_at_hand([('ids', pool_recon.ids_of_rows_at_hand(rows, ids, round))]) -%}
            {%- do found.update({'kinds': run_query('select distinct kind from ' ~ ids ~ ' where round = ' ~ round ~ ' order by kind').columns[0].values() | list}) -%}
            {%- if found.kinds -%}
                {%- do pool_recon.fill_tables_at_hand([('rows', pool_recon.rows_of_ids_at_hand(rows, ids, round, found.kinds))]) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if found.kinds -%}
            {%- do pool_recon.fill_tables_at_hand([
                ('rows', pool_recon.all_rows_at_hand(rows, rounds)),
                ('ids', pool_recon.ids_of_rows_at_hand(rows, ids, rounds)),
            ]) -%}
        {%- endif -%}
        {%- set picked = {} -%}
        {%- for export_name in pool_recon.required_export_names() -%}
            {%- do picked.update({
                export_name: 'as select * from ' ~ ref('stg_' ~ export_name) ~ ' where row_order in (select row_order from ' ~ rows ~ " where export_name = '" ~ export_name ~ "')"
            }) -%}
        {%- endfor -%}
        {%- do pool_recon.make_tables_at_hand(picked) -%}
    {%- endif -%}
{%- endmacro %}

{#- Rows that are new or that time may still change, and all rows of funding, balances and pools. -#}
{% macro first_rows_at_hand(rows, build) -%}
insert into {{ rows }}
{% for export_name, moments in pool_recon.moments_of_rows().items() -%}
select '{{ export_name }}', row_order, 0
from {{ ref('stg_' ~ export_name) }}
where
    quarantine_reasons is null
    and (
        file_id > {{ build.last_file_id }}
        {%- for moment, limit in moments %}
        or {{ moment }} >= {{ pool_recon.open_since(build, limit) }}
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

{#- What was confirmed decides for every entry under its reference. And how long a trade may be reserved counts from a moment
    of the trade, its quote or its order, and only as long as it is: that is what the last build left. -#}
{% macro first_ids_at_hand(ids, build) -%}
insert into {{ ids }}
select distinct 'funding', funding_reference, 0
from {{ ref('stg_funding') }}
where quarantine_reasons is null and (file_id > {{ build.last_file_id }} or confirmed_at >= {{ pool_recon.open_since(build) }})
union all
select 'trade', transact_id, 0
from {{ pool_recon.left_by_the_last_build('int_trades_reconciled') }}
where effective_status = 'reserved' and coalesce(reserved_at, accepted_at, order_created_at) >= {{ pool_recon.open_since(build, 'settlement_limit_seconds') }}
{%- endmacro %}

{#- A kept model as the last build left it, which is not what `ref` means. -#}
{% macro left_by_the_last_build(name) -%}
    {%- set node = graph.nodes['model.pool_recon.' ~ name] -%}
    {{ return(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) }}
{%- endmacro %}

{#- Every row that was not collected, for ids that lead on after the last round. -#}
{% macro all_rows_at_hand(rows, round) -%}
insert into {{ rows }}
select export_name, row_order, {{ round }}
from (
    {%- for export_name in pool_recon.named_ids() %}
    select '{{ export_name }}' as export_name, row_order
    from {{ ref('stg_' ~ export_name) }}
    where quarantine_reasons is null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
) as readable
{{ pool_recon.anti_join('readable', rows, ['export_name', 'row_order']) }}
{%- endmacro %}

{#- Ids that no round before has named. A reference to funding links rows only where there is such funding. -#}
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

{#- A column is looked through once, for all kinds of ids that it may have. Where only the row itself has an id and was there
    before, the last build knows which rows share it: new ones led to it in the first round. -#}
{% macro rows_of_ids_at_hand(rows, ids, round, kinds) -%}
{%- set kinds_by_place = {} -%}
{%- for kind in kinds -%}
    {%- for place in pool_recon.rows_of_ids()[kind] -%}
        {%- do kinds_by_place.setdefault(place, []).append(kind) -%}
    {%- endfor -%}
{%- endfor -%}
insert into {{ rows }}
select distinct export_name, row_order, {{ round + 1 }}
from (
    {%- for (export_name, column), of_kinds in kinds_by_place.items() %}
    {%- set is_own = round > 0 and of_kinds in (['event'], ['ledger_entry']) %}
    select '{{ export_name }}' as export_name, rows_there.row_order
    from {{ pool_recon.left_by_the_last_build('int_rows_repeated') if is_own else ref('stg_' ~ export_name) }} as rows_there
    where
        {{ "rows_there.export_name = '" ~ export_name ~ "'" if is_own else 'rows_there.quarantine_reasons is null' }}
        and rows_there.{{ 'record_id' if is_own else column }} in (select id from {{ ids }} where kind in ('{{ of_kinds | join("', '") }}') and round = {{ round }})
    {{ 'union all' if not loop.last }}
    {%- endfor %}
) as linked
{{ pool_recon.anti_join('linked', rows, ['export_name', 'row_order']) }}
{%- endmacro %}
