-- Landed rows against what became of them, per export and over all landed rows.
with exports as (

    select * from {{ ref('ref_exports') }}

),

files as (

    select * from {{ pool_recon.landed('files') }}

),

landed as (

    select
        export_name,
        sum(row_count) as landed
    from files
    group by export_name

),

-- An id that came more than once is one record.
readable as (
    {% for export_name in pool_recon.export_names() %}
    select
        '{{ export_name }}' as export_name,
        count(*) - count(quarantine_reasons) as readable_rows,
        count(quarantine_reasons) as quarantined
    from {{ ref('stg_' ~ export_name) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

repeated as (

    select
        export_name,
        count(*) - sum(case when is_first then 1 else 0 end) as later_rows
    from {{ ref('int_rows_repeated') }}
    group by export_name

),

set_aside as (

    select
        export_name,
        sum(case when disposition = 'duplicate' then 1 else 0 end) as duplicates,
        sum(case when disposition = 'superseded' then 1 else 0 end) as superseded
    from {{ ref('int_rows_set_aside') }}
    group by export_name

)

select
    exports.export_name,
    exports.export_position,
    cast(coalesce(landed.landed, 0) as bigint) as landed,
    cast(coalesce(readable.readable_rows, 0) - coalesce(repeated.later_rows, 0) as bigint) as staged,
    cast(coalesce(set_aside.duplicates, 0) as bigint) as duplicates,
    cast(coalesce(set_aside.superseded, 0) as bigint) as superseded,
    cast(coalesce(readable.quarantined, 0) as bigint) as quarantined
from exports
left join landed on exports.export_name = landed.export_name
left join readable on exports.export_name = readable.export_name
left join repeated on exports.export_name = repeated.export_name
left join set_aside on exports.export_name = set_aside.export_name
