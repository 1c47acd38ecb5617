{#-
    The findings of one kind of subject, judged in a single pass: every condition becomes a flag, rows without a flag
    drop out, and the few that remain give one row per finding.

    Arguments:
        relation: one row per subject; the columns of int_close can be used beside its own.
        subject_type: what a subject is called in the reports.
        subject_id: expression that gives its id.
        identity: {column: expression} for environment, the ids, asset and amount_at_risk.
        findings: a list of dicts with
            code            the code of ref_findings
            when            condition; null counts as false
            deferred_when   optional condition under which the finding is a cutoff_timing_difference instead
            expected, actual  expressions that say so in words
            asset, amount_at_risk  optional, instead of those of the subject
-#}
{% macro raise_findings(relation, subject_type, subject_id, identity, findings) %}
{%- set deferrable = findings | selectattr('deferred_when', 'defined') | list -%}
{%- set deferred_code = 'cutoff_timing_difference' -%}
{%- set deferred_codes = [] -%}
{%- for finding in deferrable -%}
    {%- do deferred_codes.append('case when defers_' ~ finding.code ~ " then '" ~ finding.code ~ "' end") -%}
{%- endfor -%}
{%- set codes = findings | map(attribute='code') | list + ([deferred_code] if deferrable else []) -%}
with subjects as (

    select * from {{ relation }}

),

close as (

    select * from {{ ref('int_close') }}

),

judged as (

    select
        subjects.*,
        close.grace_limit_at,
        close.settlement_limit_at,
        close.processing_limit_at,
        {%- for finding in findings %}
        {%- if finding.deferred_when is defined %}
        coalesce(({{ finding.when }}) and not coalesce({{ finding.deferred_when }}, false), false) as raises_{{ finding.code }},
        coalesce(({{ finding.when }}) and ({{ finding.deferred_when }}), false) as defers_{{ finding.code }}{{ ',' if not loop.last }}
        {%- else %}
        coalesce({{ finding.when }}, false) as raises_{{ finding.code }}{{ ',' if not loop.last }}
        {%- endif %}
        {%- endfor %}
    from subjects
    cross join close

),

raised as (

    select * from judged
    where
        {%- for finding in findings %}
        {{ 'or ' if not loop.first }}raises_{{ finding.code }}
        {%- endfor %}
        {%- for finding in deferrable %}
        or defers_{{ finding.code }}
        {%- endfor %}

),

-- As declared here: a code that the reference data lacks is a breach, and its finding is not lost.
codes as (
    {% for code in codes %}
    select cast('{{ code }}' as {{ dbt.type_string() }}) as code
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

findings as (

    select
        codes.code,
        cast('{{ subject_type }}' as {{ dbt.type_string() }}) as subject_type,
        cast({{ subject_id }} as {{ dbt.type_string() }}) as subject_id,
        {%- for column in ['environment', 'partner_id', 'partner_order_id', 'pool_id', 'quote_id', 'transact_id', 'event_id', 'ledger_entry_id', 'request_id'] %}
        cast({{ identity.get(column, 'null') }} as {{ dbt.type_string() }}) as {{ column }},
        {%- endfor %}
        {%- for column, type in [('asset', dbt.type_string()), ('amount_at_risk', pool_recon.money_type())] %}
        cast(
            case codes.code
                {%- for finding in findings if finding[column] is defined %}
                when '{{ finding.code }}' then {{ finding[column] }}
                {%- endfor %}
                {%- for finding in deferrable | selectattr(column, 'defined') %}
                {%- if loop.first %}
                when '{{ deferred_code }}' then {{ identity.get(column, 'null') }}
                {%- endif %}
                {%- endfor %}
                when '' then null
                else {{ identity.get(column, 'null') }}
            end as {{ type }}
        ) as {{ column }},
        {%- endfor %}
        {%- for column in ['expected', 'actual'] %}
        cast(
            case codes.code
                {%- for finding in findings %}
                when '{{ finding.code }}' then {{ finding[column] }}
                {%- endfor %}
                {%- if deferrable %}
                when '{{ deferred_code }}'
                    then {% if column == 'expected' %}'complete by the cut-off'{% else %}{{ pool_recon.joined_texts(', ', deferred_codes) }} || ' until a later record'{% endif %}
                {%- endif %}
            end as {{ dbt.type_string() }}
        ) as {{ column }},
        {%- endfor %}
        cast({{ identity.get('row_order', 'null') }} as bigint) as row_order
    from raised
    inner join codes
        on
            case codes.code
                {%- for finding in findings %}
                when '{{ finding.code }}' then raises_{{ finding.code }}
                {%- endfor %}
                {%- if deferrable %}
                when '{{ deferred_code }}' then {% for finding in deferrable %}{{ ' or ' if not loop.first }}defers_{{ finding.code }}{% endfor %}
                {%- endif %}
                else false
            end

)

select * from findings
{% endmacro %}
