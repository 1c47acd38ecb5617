{{ config(materialized='view') }}
-- The calendar of the semantic layer: it ends with the close, so that no balance goes on into days that are to come.
with close as (

    select * from {{ ref('int_close') }}

),

digits as (
    {% for digit in range(10) %}
    select {{ digit }} as digit
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

days as (

    select cast({{ dbt.dateadd('day', 'ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit', "cast('2015-01-01' as date)") }} as date) as date_day
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands

)

select days.date_day
from days
cross join close
where cast(days.date_day as timestamp) < close.cut_off_at
