-- The columns that finance relies on, with the number of files of their export that have them.
with export_columns as (

    select * from {{ ref('ref_export_columns') }}
    where is_documented

),

file_columns as (

    select * from {{ pool_recon.landed('file_columns') }}

),

files as (

    select * from {{ pool_recon.landed('files') }}

),

close as (

    select * from {{ ref('int_close') }}

)

select
    export_columns.export_name || '.' || export_columns.column_name as column_id,
    export_columns.column_name,
    close.default_environment as environment,
    close.default_partner as partner_id,
    count(distinct files.file_id) as file_count,
    count(file_columns.file_id) as file_count_with_column
from export_columns
cross join close
left join files on export_columns.export_name = files.export_name
left join file_columns
    on
        files.file_id = file_columns.file_id
        and export_columns.column_name = file_columns.contract_column
group by export_columns.export_name, export_columns.column_name, close.default_environment, close.default_partner
