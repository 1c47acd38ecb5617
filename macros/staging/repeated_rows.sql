{#-
    The readable rows of an export whose id came more than once.

    Arguments:
        export_name: the export.
-#}
{% macro repeated_rows(export_name) %}
{%- set keys = pool_recon.key_of(export_name) -%}
select
    '{{ export_name }}' as export_name,
    {{ 'repeated_keys.key_1' if keys | length == 1 else 'cast(null as ' ~ dbt.type_string() ~ ')' }} as record_id,
    export_rows.row_order,
    export_rows.row_order = repeated_keys.first_row_order as is_first
from {{ pool_recon.at_hand('stg_' ~ export_name) }} as export_rows
inner join (
    select
        {%- for key in keys %}
        {{ key }} as key_{{ loop.index }},
        {%- endfor %}
        min(row_order) as first_row_order
    from {{ pool_recon.at_hand('stg_' ~ export_name) }}
    where quarantine_reasons is null
    group by {{ keys | join(', ') }}
    having count(*) > 1
) as repeated_keys
    on
        {%- for key in keys %}
        {{ 'and ' if not loop.first }}{{ pool_recon.same_value(key, 'repeated_keys.key_' ~ loop.index) }}
        {%- endfor %}
where export_rows.quarantine_reasons is null
{% endmacro %}
