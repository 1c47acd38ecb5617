with assets as (

    select * from {{ ref('ref_assets') }}

)

select
    asset,
    minor_unit,
    cast(case when minor_unit = 0 then '1' else '0.' || rpad('', minor_unit - 1, '0') || '1' end as {{ pool_recon.money_type() }}) as smallest_amount
from assets
