{#-
    The readable rows of an immutable export that are not the first of their id: exact duplicates of content that came
    before, or superseded content.

    Arguments:
        export_name: the export.
-#}
{% macro set_aside_immutable_rows(export_name) %}
{%- set keys = pool_recon.key_of(export_name) -%}
select
    '{{ export_name }}' as export_name,
    ranked.row_order,
    case when ranked.rank_of_content > 1 then 'duplicate' else 'superseded' end as disposition
from (
    select
        export_rows.row_order,
        row_number() over (partition by {{ keys | join(', ') }} order by export_rows.row_order) as rank_of_key,
        row_number() over (partition by {{ (keys + pool_recon.content_of(export_name)) | join(', ') }} order by export_rows.row_order) as rank_of_content
    from {{ pool_recon.at_hand('stg_' ~ export_name) }} as export_rows
    inner join {{ pool_recon.at_hand('int_rows_repeated') }} as repeated_rows
        on
            export_rows.row_order = repeated_rows.row_order
            and repeated_rows.export_name = '{{ export_name }}'
) as ranked
where ranked.rank_of_key > 1
{% endmacro %}


{#-
    The readable rows of a versioned export that are not its last version: exact duplicates of the version before them,
    or superseded versions. Versions are compared column by column only where their checksums are the same, or where the
    engine has none.

    Arguments:
        export_name: the export.
        version_column: the column that versions are ordered by, before the order of loading; none for that order alone.
-#}
{% macro set_aside_versions(export_name, version_column=none) %}
{%- set keys = pool_recon.key_of(export_name) -%}
{%- set content = pool_recon.content_of(export_name) -%}
{%- set key_list = keys | join(', ') -%}
{%- set by_version = 'over (partition by ' ~ key_list ~ ' order by ' ~ (version_column ~ ' nulls first, ' if version_column) ~ 'row_order)' -%}
select
    '{{ export_name }}' as export_name,
    row_order,
    case when is_duplicate then 'duplicate' else 'superseded' end as disposition
from (
    with summed as (

        select
            row_order,
            {%- for column in keys + ([version_column] if version_column else []) %}
            {{ column }},
            {%- endfor %}
            {{ pool_recon.row_checksum(content) }} as content_checksum
        from {{ pool_recon.at_hand('stg_' ~ export_name) }} as export_rows
        where
            row_order in (
                select repeated_rows.row_order from {{ pool_recon.at_hand('int_rows_repeated') }} as repeated_rows
                where repeated_rows.export_name = '{{ export_name }}'
            )

    ),

    numbered as (

        select
            row_order,
            {{ key_list }},
            content_checksum,
            row_number() {{ by_version }} as version_number,
            lag(row_order) {{ by_version }} as previous_row_order,
            lag(content_checksum) {{ by_version }} as previous_checksum
        from summed

    ),

    alike as (

        select
            row_order,
            previous_row_order
        from numbered
        where
            version_number > 1
            and content_checksum is not distinct from previous_checksum

    ),

    compared_rows as (

        select * from {{ pool_recon.at_hand('stg_' ~ export_name) }} as export_rows
        where row_order in (select alike.row_order from alike union all select alike.previous_row_order from alike)

    ),

    duplicates as (

        select alike.row_order
        from alike
        inner join compared_rows as these_rows on alike.row_order = these_rows.row_order
        inner join compared_rows as previous_rows on alike.previous_row_order = previous_rows.row_order
        where not {{ pool_recon.differs('these_rows', 'previous_rows', content) }}

    ),

    ranked as (

        select
            numbered.row_order,
            duplicates.row_order is not null as is_duplicate,
            row_number() over (
                partition by {% for key in keys %}numbered.{{ key }}, {% endfor %}duplicates.row_order is not null
                order by numbered.version_number desc
            ) as recency
        from numbered
        left join duplicates on numbered.row_order = duplicates.row_order

    )

    select
        row_order,
        is_duplicate
    from ranked
    where
        is_duplicate
        or recency > 1
) as versions
{% endmacro %}
