{#- Spark would plan it anew for each of its readers. -#}
{{ config(materialized='table' if target.type == 'spark' else 'view') }}
-- What breaks the close checklist, one row per rule and place. It is the end of the graph: a failing rule skips nothing.
{% if target.type == 'spark' -%}
select
    rule_name,
    subject_type,
    subject_id,
    violation
from {{ ref('int_checklist_violations') }}
{%- else -%}
{{ pool_recon.all_violations(is_later=true) }}
{%- endif %}
