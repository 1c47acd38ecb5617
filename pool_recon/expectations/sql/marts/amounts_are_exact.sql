-- No column of a mart is of a type that rounds.
select
    table_name || '.' || column_name as mart_column,
    'is ' || data_type as problem
from information_schema.columns
where
    table_schema = 'marts'
    and lower(data_type) in ('double', 'double precision', 'float', 'real')
