{#-
    What breaks the close checklist, one row per rule and place.

    Arguments:
        is_later: whether the warehouse may have been changed since it was built, so that more has to be looked at.
-#}
{% macro all_violations(is_later=false) -%}
{% for rule_name in pool_recon.checklist_rules() %}
select
    '{{ rule_name }}' as rule_name,
    violations.subject_type,
    violations.subject_id,
    violations.violation
from (
    {{ pool_recon.rule_violations(rule_name, is_later) }}
    {%- set changes = pool_recon.changed_since(rule_name) | trim if is_later %}
    {{ 'union all ' ~ changes if changes }}
) as violations
{{ 'union all' if not loop.last }}
{%- endfor %}
{%- endmacro %}


{#-
    What the tests of the rules read: in a build what it found just before, and else what is found now, in a warehouse that may
    have been changed since.
-#}
{% macro violations_as_tested() -%}
    {%- set found = ref('int_checklist_violations') -%}
    {%- set found_now = ref('close_violations') -%}
    {%- set was_just_built = flags.WHICH == 'build' and 'model.pool_recon.int_checklist_violations' in selected_resources -%}
    {{ return(found if was_just_built else found_now) }}
{%- endmacro %}


{#-
    What breaks a rule of the close checklist, one row each, read from the facts and the findings: `subject_type` and
    `subject_id` say where, `violation` says what. The same statement serves the failing test and the checklist.

    Arguments:
        rule_name: the rule, as in ref_checklist_rules.
        is_later: as in all_violations.
-#}
{% macro rule_violations(rule_name, is_later=false) -%}
    {#- calls by name, because those are what dbt knows a changed test by -#}
    {%- if rule_name == 'no_other_blocking_findings' -%}
        {{ pool_recon.violations_of_no_other_blocking_findings() }}
    {%- elif rule_name == 'exceptions_owned_and_reviewed' -%}
        {{ pool_recon.violations_of_exceptions_owned_and_reviewed() }}
    {%- elif rule_name == 'balances_roll_forward' -%}
        {{ pool_recon.violations_of_balances_roll_forward() }}
    {%- elif rule_name == 'nothing_lost' -%}
        {{ pool_recon.violations_of_nothing_lost() }}
    {%- elif rule_name == 'no_secrets' -%}
        {{ pool_recon.violations_of_no_secrets() }}
    {%- else -%}
        {{ pool_recon.unapproved_findings(rule_name) }}
    {%- endif %}
    {%- if rule_name in pool_recon.answers_to_gaps() %}
union all
{{ pool_recon.unanswered_gaps(rule_name, is_later) }}
    {%- endif -%}
{%- endmacro %}

{#- The blocking findings of a rule that no valid approval covers. -#}
{% macro unapproved_findings(rule_name) %}
select
    subject_type,
    subject_id,
    code || ': expected ' || coalesce(expected, '') || ', found ' || coalesce(actual, '') as violation
from {{ ref('fct_exceptions') }}
where
    rule_name = '{{ rule_name }}'
    and approval <> 'approved'
{% endmacro %}

{#- A project may have made a code of this rule a warning, which is listed and does not block. -#}
{% macro violations_of_no_other_blocking_findings() %}
{{ pool_recon.unapproved_findings('no_other_blocking_findings') }}
    and is_blocking
{%- endmacro %}

{#- Asked of every finding: warnings and approved ones are owned and reviewed, too. -#}
{% macro violations_of_exceptions_owned_and_reviewed() %}
select
    exceptions.subject_type,
    exceptions.subject_id,
    exceptions.code || case
        when exceptions.owner is null then ' has no owner'
        when exceptions.next_review_date is null then ' has no review date'
        else ' was to be reviewed on ' || {{ pool_recon.date_text('exceptions.next_review_date') }}
    end as violation
{{ pool_recon.unreviewed_findings() }}
{% endmacro %}

{#- The findings of any severity that nobody owns or whose review is overdue, as `exceptions`. -#}
{% macro unreviewed_findings() -%}
from {{ ref('fct_exceptions') }} as exceptions
cross join {{ ref('int_close') }} as close
where
    exceptions.owner is null
    or exceptions.next_review_date is null
    or exceptions.next_review_date < close.close_date
{%- endmacro %}

{#- Its findings, and the sums themselves; where one of them is absent, the rule does not hold. -#}
{% macro violations_of_balances_roll_forward() %}
{{ pool_recon.unapproved_findings('balances_roll_forward') }}
union all
select
    'balance' as subject_type,
    environment || ':' || partner_id || ':' || asset as subject_id,
    'opening and movements give ' || {{ pool_recon.amount_text('opening + funding + debits + refunds + returns + fees + adjustments') }} || ', closing is ' || {{ pool_recon.amount_text('closing') }} as violation
from {{ ref('fct_balances') }}
where (opening + funding + debits + refunds + returns + fees + adjustments = closing) is not true
{% endmacro %}

{#- Its findings, and the counts themselves; where one of them is absent, the rule does not hold. -#}
{% macro violations_of_nothing_lost() %}
{{ pool_recon.unapproved_findings('nothing_lost') }}
union all
select
    'export' as subject_type,
    export_name as subject_id,
    landed || ' landed, ' || (staged + duplicates + superseded + quarantined) || ' accounted for' as violation
from {{ ref('fct_conservation') }}
where (landed = staged + duplicates + superseded + quarantined) is not true
{% endmacro %}

{#- Whatever the register says: no approval covers a secret. -#}
{% macro violations_of_no_secrets() %}
select
    subject_type,
    subject_id,
    'a secret is exposed' as violation
from {{ ref('fct_exceptions') }}
where rule_name = 'no_secrets'
{% endmacro %}
