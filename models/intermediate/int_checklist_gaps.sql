-- What records lack that the close checklist asks of each, kept because most were asked when they came.
{% for rule_name in pool_recon.answers_to_gaps() -%}
select
    '{{ rule_name }}' as rule_name,
    gaps.subject_type,
    gaps.subject_id,
    gaps.violation
from (
    {{ pool_recon.checklist_gaps(rule_name, pool_recon.at_hand) }}
) as gaps
{{ 'union all' if not loop.last }}
{% endfor %}
