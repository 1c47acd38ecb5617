-- No landed row of any export carries a secret, and no finding says so.
with rows_with_secrets as (

    select
        _file_id,
        _row_number
    from raw.orders
    where _has_secret
    union all
    select
        _file_id,
        _row_number
    from raw.quotes
    where _has_secret
    union all
    select
        _file_id,
        _row_number
    from raw.trades
    where _has_secret
    union all
    select
        _file_id,
        _row_number
    from raw.events
    where _has_secret
    union all
    select
        _file_id,
        _row_number
    from raw.ledger
    where _has_secret
    union all
    select
        _file_id,
        _row_number
    from raw.funding
    where _has_secret
    union all
    select
        _file_id,
        _row_number
    from raw.balances
    where _has_secret
    union all
    select
        _file_id,
        _row_number
    from raw.pools
    where _has_secret

)

select
    subject_type,
    subject_id,
    code as problem
from marts.fct_exceptions
where code in (select codes.code from reference.ref_findings as codes where codes.rule_name = 'no_secrets')
union all
select
    'export_row' as subject_type,
    coalesce(files.row_name, 'file ' || rows_with_secrets._file_id) || ':' || rows_with_secrets._row_number as subject_id,
    'carries a secret' as problem
from rows_with_secrets
left join raw.files as files on rows_with_secrets._file_id = files.file_id
