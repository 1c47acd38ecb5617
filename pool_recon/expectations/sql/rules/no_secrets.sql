-- No landed row of any export carries a secret, and no finding says so.
select
    subject_type,
    subject_id,
    code as problem
from marts.fct_exceptions
where code in (select codes.code from reference.ref_findings as codes where codes.rule_name = 'no_secrets')
union all
select
    'export_row' as subject_type,
    'orders, file ' || _file_id || ', row ' || _row_number as subject_id,
    'carries a secret' as problem
from raw.orders
where _has_secret
union all
select
    'export_row' as subject_type,
    'quotes, file ' || _file_id || ', row ' || _row_number as subject_id,
    'carries a secret' as problem
from raw.quotes
where _has_secret
union all
select
    'export_row' as subject_type,
    'trades, file ' || _file_id || ', row ' || _row_number as subject_id,
    'carries a secret' as problem
from raw.trades
where _has_secret
union all
select
    'export_row' as subject_type,
    'events, file ' || _file_id || ', row ' || _row_number as subject_id,
    'carries a secret' as problem
from raw.events
where _has_secret
union all
select
    'export_row' as subject_type,
    'ledger, file ' || _file_id || ', row ' || _row_number as subject_id,
    'carries a secret' as problem
from raw.ledger
where _has_secret
union all
select
    'export_row' as subject_type,
    'funding, file ' || _file_id || ', row ' || _row_number as subject_id,
    'carries a secret' as problem
from raw.funding
where _has_secret
union all
select
    'export_row' as subject_type,
    'balances, file ' || _file_id || ', row ' || _row_number as subject_id,
    'carries a secret' as problem
from raw.balances
where _has_secret
union all
select
    'export_row' as subject_type,
    'pools, file ' || _file_id || ', row ' || _row_number as subject_id,
    'carries a secret' as problem
from raw.pools
where _has_secret
