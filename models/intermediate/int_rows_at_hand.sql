{{ config(pre_hook="{{ pool_recon.collect_rows_at_hand() }}") }}
-- How much of each export this build looked at.
{%- set build = pool_recon.this_build() %}
{% for export_name in pool_recon.export_names() %}
select
    cast('{{ export_name }}' as {{ dbt.type_string() }}) as export_name,
    cast({{ build.number }} as integer) as build_number,
    cast({{ build.is_incremental }} as boolean) as is_incremental,
    cast(count(*) as bigint) as readable_rows,
    {% if build.is_incremental -%}
    cast(count(case when file_id > {{ build.last_file_id }} then 1 end) as bigint) as new_rows,
    cast((select count(*) from {{ pool_recon.relation_at_hand('rows') }} as picked where picked.export_name = '{{ export_name }}') as bigint) as rows_at_hand
    {%- else -%}
    cast(count(*) as bigint) as new_rows,
    cast(count(*) as bigint) as rows_at_hand
    {%- endif %}
from {{ ref('stg_' ~ export_name) }}
where quarantine_reasons is null
{{ 'union all' if not loop.last }}
{% endfor %}
