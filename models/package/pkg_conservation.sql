-- conservation.csv: what became of the landed rows of each export.
select
    export_name as export,
    cast(landed as {{ dbt.type_string() }}) as landed,
    cast(staged as {{ dbt.type_string() }}) as staged,
    cast(duplicates as {{ dbt.type_string() }}) as duplicates,
    cast(superseded as {{ dbt.type_string() }}) as superseded,
    cast(quarantined as {{ dbt.type_string() }}) as quarantined,
    export_position as _sort_1
from {{ ref('fct_conservation') }}
