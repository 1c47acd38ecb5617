-- Flagged rows under the name by which a person finds them: file:row.
with flagged_rows as (

    select * from {{ ref('int_rows_flagged') }}

),

files as (

    select * from {{ pool_recon.landed('files') }}

),

close as (

    select * from {{ ref('int_close') }}

)

select
    flagged_rows.export_name,
    files.row_name || ':' || flagged_rows.row_number as row_id,
    close.default_environment as environment,
    close.default_partner as partner_id,
    flagged_rows.quarantine_reasons,
    flagged_rows.has_secret,
    flagged_rows.row_order
from flagged_rows
cross join close
inner join files on flagged_rows.file_id = files.file_id
union all
-- a secret in the name of a file or of a column belongs to no record: row 0
select
    files.export_name,
    files.row_name || ':0' as row_id,
    close.default_environment as environment,
    close.default_partner as partner_id,
    cast(null as {{ dbt.type_string() }}) as quarantine_reasons,
    true as has_secret,
    cast(null as bigint) as row_order
from files
cross join close
where files.has_secret
