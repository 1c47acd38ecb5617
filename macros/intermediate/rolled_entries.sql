{#- The columns of the roll-forward of a balance, from its opening to its closing. -#}
{% macro rolled_columns() -%}
    {{ return(['opening'] + pool_recon.moved_columns() + ['closing']) }}
{%- endmacro %}

{#- Those between the two, one for each way in which entries move a balance. -#}
{% macro moved_columns() -%}
    {{ return(['funding', 'debits', 'refunds', 'returns', 'fees', 'adjustments']) }}
{%- endmacro %}


{#- What the entries of each balance add up to, in the columns of its roll-forward. -#}
{% macro rolled_entries() %}
select
    entries.environment,
    entries.partner_id,
    entries.asset,
    sum(case when entries.effective_at < close.opening_at then entries.delta else 0 end) as opening,
    {%- for column in pool_recon.moved_columns() %}
    sum(case when entries.effective_at >= close.opening_at and entries.balance_column = '{{ column }}' then entries.delta else 0 end) as {{ column }},
    {%- endfor %}
    sum(entries.delta) as closing
from {{ ref('int_ledger_entries_joined') }} as entries
cross join {{ ref('int_close') }} as close
where entries.touches_balance
group by entries.environment, entries.partner_id, entries.asset
{% endmacro %}
