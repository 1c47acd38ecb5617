-- The closing balances of each close, kept as it published them. A close without any has one row that names none, so that
-- it can be told from one whose balances nobody kept.
with close as (

    select * from {{ ref('int_close') }}

),

runs as (

    {{ pool_recon.runs_to_keep() }}

)

select
    runs.close_date,
    runs.run_number,
    close.cut_off_at,
    balances.environment,
    balances.partner_id,
    balances.asset,
    balances.closing
from runs
cross join close
left join {{ ref('fct_balances') }} as balances on true
