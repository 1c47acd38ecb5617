-- One row for each export.
select
    coalesce(exports.export_name, published.export_name) as export,
    'stands ' || count(published.export_name) || ' times' as problem
from reference.ref_exports as exports
full outer join marts.fct_conservation as published on exports.export_name = published.export_name
group by coalesce(exports.export_name, published.export_name)
having
    count(published.export_name) <> 1
    or count(exports.export_name) <> 1
