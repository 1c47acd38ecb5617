-- One row per breach of what must hold of the warehouse whatever the exports say: keys are unique, every landed row is
-- in exactly one place, every finding is an exception, every rule was judged. It reads one view at the end of the graph,
-- so that a breach stops no report.
select
    invariant,
    subject
from {{ ref('close_invariant_breaches') }}
