-- The closing balances of each close, kept as it published them. A close without any has one row that names none, so that
-- it can be told from one whose balances nobody kept.
with close as (

    select * from {{ ref('int_close') }}

),

runs as (

    select
        close_log.close_date,
        max(close_log.run_number) as run_number
    from {{ ref('close_log') }} as close_log
    group by close_log.close_date

)

select
    runs.close_date,
    runs.run_number,
    close.cut_off_at,
    balances.environment,
    balances.partner_id,
    balances.asset,
    balances.closing
from close
inner join runs on close.close_date = runs.close_date
left join {{ ref('fct_balances') }} as balances on true
{%- if is_incremental() %}
left join (
    select distinct
        earlier.close_date,
        earlier.run_number
    from {{ this }} as earlier
) as kept
    on
        runs.close_date = kept.close_date
        and runs.run_number = kept.run_number
where kept.run_number is null
{%- endif %}
