-- Question: which columns of the exports were not understood, and are not carried on?
-- How to read it: one row per export and column name as written. A column that matters is missing here under its own
-- name: add the other name to ref_column_aliases.csv; the next close reads its files again. The rest is what nobody needs.
-- file_count says in how many files it stands.
with files as (

    select * from {{ pool_recon.landed('files') }}

),

columns_as_written as (

    select * from {{ pool_recon.landed('file_columns') }}

)

select
    files.export_name,
    columns_as_written.column_name,
    count(*) as file_count
from columns_as_written
inner join files on columns_as_written.file_id = files.file_id
where columns_as_written.contract_column is null
group by files.export_name, columns_as_written.column_name
order by files.export_name asc, columns_as_written.column_name asc
