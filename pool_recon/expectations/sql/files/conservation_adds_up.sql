-- In conservation.csv landed is staged, duplicates, superseded and quarantined together, for every export.
select
    coalesce(published.export, exports.export_name) as export,
    coalesce(published.landed, 'nothing') || ' landed is not ' || coalesce(published.staged, 'nothing') || ' + ' || coalesce(published.duplicates, 'nothing') || ' + ' || coalesce(published.superseded, 'nothing') || ' + ' || coalesce(published.quarantined, 'nothing') as problem
from published_conservation as published
full outer join reference.ref_exports as exports on published.export = exports.export_name
where
    exports.export_name is null
    or try_cast(published.landed as bigint) is distinct from try_cast(published.staged as bigint) + try_cast(published.duplicates as bigint) + try_cast(published.superseded as bigint) + try_cast(published.quarantined as bigint)
    or published.landed is null
