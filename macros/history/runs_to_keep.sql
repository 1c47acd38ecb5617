{#-
    What history has of this close still to be kept, as one row at most: its last run in the log, where that is not kept.

    Arguments:
        run_number: the column of the log that says under which number it is kept.
-#}
{% macro runs_to_keep(run_number='run_number') -%}
    select
        last_runs.close_date,
        last_runs.run_number
    from (
        select
            close_log.close_date,
            close_log.{{ run_number }} as run_number,
            row_number() over (order by close_log.run_number desc) as recency
        from {{ ref('close_log') }} as close_log
        inner join {{ ref('int_close') }} as close on close_log.close_date = close.close_date
    ) as last_runs
    {%- if is_incremental() %}
    left join (
        select distinct
            close_date,
            run_number
        from {{ this }}
    ) as kept
        on
            last_runs.close_date = kept.close_date
            and last_runs.run_number = kept.run_number
    {%- endif %}
    where
        last_runs.recency = 1
    {%- if is_incremental() %}
        and kept.run_number is null
    {%- endif %}
{%- endmacro %}
