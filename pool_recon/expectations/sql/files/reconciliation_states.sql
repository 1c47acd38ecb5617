-- A movement is an exception or approved exactly when it has blocking findings, and all that exceptions.csv says of it is on it.
with carried as (

    select
        movements.movement_id,
        movements.transact_id,
        movements.reconciliation_state,
        codes.code
    from published_reconciliation as movements
    cross join unnest(string_split(movements.finding_codes, ';')) as codes (code)

),

blocked as (

    select distinct
        carried.movement_id,
        carried.transact_id
    from carried
    inner join reference.ref_findings as codes
        on
            carried.code = codes.code
            and codes.severity = 'blocking'

)

select
    carried.movement_id as movement,
    carried.code || ' is no known code' as problem
from carried
left join reference.ref_findings as codes on carried.code = codes.code
where codes.code is null
union all
select
    movements.movement_id as movement,
    'is ' || coalesce(movements.reconciliation_state, 'nothing') || ' with the findings ' || coalesce(movements.finding_codes, 'none') as problem
from published_reconciliation as movements
left join blocked
    on
        movements.movement_id = blocked.movement_id
        and movements.transact_id is not distinct from blocked.transact_id
where (coalesce(movements.reconciliation_state, '') in ('exception', 'approved')) <> (blocked.movement_id is not null)
union all
select
    exceptions.subject_id as movement,
    'lacks its finding ' || exceptions.code as problem
from published_exceptions as exceptions
left join carried
    on
        exceptions.subject_id = carried.transact_id
        and exceptions.code = carried.code
where
    exceptions.subject_type = 'trade'
    and carried.code is null
union all
select
    carried.movement_id as movement,
    'carries ' || carried.code || ', which is not in exceptions.csv' as problem
from carried
left join published_exceptions as exceptions on carried.code = exceptions.code
where exceptions.code is null
union all
select
    exceptions.subject_id as movement,
    'is ' || movements.reconciliation_state || ' with ' || exceptions.code || ' ' || exceptions.approval as problem
from published_exceptions as exceptions
inner join published_reconciliation as movements on exceptions.subject_id = movements.transact_id
where
    exceptions.subject_type = 'trade'
    and exceptions.severity = 'blocking'
    and exceptions.approval <> 'approved'
    and movements.reconciliation_state <> 'exception'
