-- conservation.csv: what became of the landed rows of each export.
select
    export_name as export,
    cast(landed as varchar) as landed,
    cast(staged as varchar) as staged,
    cast(duplicates as varchar) as duplicates,
    cast(superseded as varchar) as superseded,
    cast(quarantined as varchar) as quarantined,
    export_position as _sort_1
from {{ ref('fct_conservation') }}
