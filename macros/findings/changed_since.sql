{#-
    What breaks a rule in a warehouse that was changed since it was built, one row each as of `rule_violations`; nothing
    for a rule whose violations are read from what a change would change.
-#}
{% macro changed_since(rule_name) -%}
    {%- set statement = context['pool_recon']['changed_since_' ~ rule_name] -%}
    {{ statement() if statement is defined }}
{%- endmacro %}

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

{% macro changed_since_balances_roll_forward() %}
select
    'balance' as subject_type,
    coalesce(summed.environment, balances.environment) || ':' || coalesce(summed.partner_id, balances.partner_id) || ':' || coalesce(summed.asset, balances.asset) as subject_id,
    'the entries come to ' || {{ pool_recon.amount_text('coalesce(summed.closing, 0)') }} || ', closing is ' || {{ pool_recon.amount_text('coalesce(balances.closing, 0)') }} as violation
from (
    select
        entries.environment,
        entries.partner_id,
        entries.asset,
        sum(case when entries.effective_at < close.opening_at then entries.delta else 0 end) as opening,
        sum(entries.delta) as closing
    from {{ ref('int_ledger_entries_joined') }} as entries
    cross join {{ ref('int_close') }} as close
    where entries.touches_balance
    group by entries.environment, entries.partner_id, entries.asset
) as summed
full outer join {{ ref('fct_balances') }} as balances
    on
        summed.environment = balances.environment
        and summed.partner_id = balances.partner_id
        and summed.asset = balances.asset
where
    coalesce(summed.opening, 0) <> coalesce(balances.opening, 0)
    or coalesce(summed.closing, 0) <> coalesce(balances.closing, 0)
{% endmacro %}
