{#-
    What breaks a rule in a warehouse that was changed since it was built, one row each as of `rule_violations`; nothing
    for a rule whose violations are read from what a change would change.
-#}
{% macro changed_since(rule_name) -%}
    {%- if rule_name == 'nothing_lost' -%}
        {{ pool_recon.changed_since_nothing_lost() }}
    {%- elif rule_name == 'balances_roll_forward' -%}
        {{ pool_recon.changed_since_balances_roll_forward() }}
    {%- endif -%}
{%- endmacro %}

{#- Rows are counted again, because the conservation that was built says what there was then. -#}
{% macro changed_since_nothing_lost() %}
select
    'export' as subject_type,
    export_name as subject_id,
    rows_there || ' rows are there of ' || rows_landed || ' that landed, ' || rows_staged || ' are staged of ' || rows_accounted_for || ' accounted for' as violation
from (
    {% for export_name in pool_recon.export_names() %}
    select
        '{{ export_name }}' as export_name,
        (select count(*) from {{ pool_recon.landed(export_name) }}) as rows_there,
        (select cast(coalesce(sum(files.row_count), 0) as bigint) from {{ pool_recon.landed('files') }} as files where files.export_name = '{{ export_name }}') as rows_landed,
        (select count(*) from {{ ref('stg_' ~ export_name) }}) as rows_staged,
        (select sum(conserved.landed) from {{ ref('fct_conservation') }} as conserved where conserved.export_name = '{{ export_name }}') as rows_accounted_for
    {{ 'union all' if not loop.last }}
    {%- endfor %}
) as counted
where
    rows_there <> rows_landed
    or rows_staged <> rows_accounted_for
{% endmacro %}

{#- Entries are summed again, because balances that were built agree with themselves, whatever became of their entries. -#}
{% macro changed_since_balances_roll_forward() %}
select
    'balance' as subject_type,
    coalesce(summed.environment, balances.environment) || ':' || coalesce(summed.partner_id, balances.partner_id) || ':' || coalesce(summed.asset, balances.asset) as subject_id,
    'opening, movements or closing are not what the entries come to: closing is ' || {{ pool_recon.amount_text('coalesce(balances.closing, 0)') }} || ', theirs ' || {{ pool_recon.amount_text('coalesce(summed.closing, 0)') }} as violation
from (
    {{ pool_recon.rolled_entries() }}
) as summed
full outer join {{ ref('fct_balances') }} as balances
    on
        summed.environment = balances.environment
        and summed.partner_id = balances.partner_id
        and summed.asset = balances.asset
where
    {%- for column in pool_recon.rolled_columns() %}
    {{ 'or ' if not loop.first }}coalesce(summed.{{ column }}, 0) <> coalesce(balances.{{ column }}, 0)
    {%- endfor %}
{% endmacro %}
