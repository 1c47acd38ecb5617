-- One row per breach of what must hold of the warehouse whatever the exports say: keys are unique, every landed row is
-- in exactly one place, every finding is an exception, every rule was judged. It reads one view at the end of the graph,
-- so that a breach stops no report; a view of a run that did not get there would find nothing.
select
    invariant,
    subject
from {{ ref('close_invariant_breaches') }}
{%- for unique_id in pool_recon.unfinished_models().unique_ids if flags.WHICH == 'test' or (selected_resources and unique_id not in selected_resources) %}
union all
select
    'what it reads was built since, or the last run that was to build it did not, or of no rows: build everything again' as invariant,
    '{{ unique_id }}' as subject
{%- endfor %}
