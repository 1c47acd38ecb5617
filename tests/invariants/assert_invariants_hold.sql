-- One row per breach of what must hold of the warehouse whatever the exports say: keys are unique, every landed row is
-- in exactly one place, every finding is an exception, every rule was judged. It reads what is at the end of the graph, so
-- that a breach stops no report.
{%- set verdicts = ref('close_checklist') %}
select
    invariant,
    subject
from {{ ref('close_invariant_breaches') }}
{%- if not flags.EMPTY %}
union all
-- A build with --empty leaves views that find nothing, whatever is in the tables.
select
    'the rules were judged over no rows: build again' as invariant,
    'close_checklist' as subject
from {{ verdicts }}
having count(*) < {{ pool_recon.checklist_rules() | length }}
{%- endif %}
