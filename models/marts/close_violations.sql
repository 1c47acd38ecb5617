{#- Spark would plan it anew for each of its readers. -#}
{{ config(materialized='table' if target.type == 'spark' else 'view') }}
-- What breaks the close checklist, one row per rule and place. It is the end of the graph: a failing rule skips nothing.
{% for rule_name in pool_recon.checklist_rules() %}
select
    '{{ rule_name }}' as rule_name,
    violations.subject_type,
    violations.subject_id,
    violations.violation
from ({{ pool_recon.rule_violations(rule_name) }}) as violations
{{ 'union all' if not loop.last }}
{% endfor %}
