{#-
    The readable rows of an immutable export that are not the first of their id: exact duplicates of content that came
    before, or superseded content.

    Arguments:
        export_name: the export.
        keys: expressions of the primary id.
        content: the columns whose equality makes two rows the same content.
-#}
{% macro set_aside_immutable_rows(export_name, keys, content) %}
select
    '{{ export_name }}' as export_name,
    ranked.row_order,
    case when ranked.rank_of_content > 1 then 'duplicate' else 'superseded' end as disposition
from (
    select
        export_rows.row_order,
        row_number() over (partition by {{ keys | join(', ') }} order by export_rows.row_order) as rank_of_key,
        row_number() over (partition by {{ (keys + content) | join(', ') }} order by export_rows.row_order) as rank_of_content
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
    or superseded versions.

    Arguments:
        export_name: the export.
        keys: expressions of the primary id.
        content: every other column.
        version_order: what versions are ordered by, before the order of loading.
-#}
{% macro set_aside_versions(export_name, keys, content, version_order) %}
{%- set ordering = (version_order + ['export_rows.row_order']) | join(', ') -%}
select
    '{{ export_name }}' as export_name,
    versions.row_order,
    case when versions.is_duplicate then 'duplicate' else 'superseded' end as disposition
from (
    select
        compared.row_order,
        compared.is_duplicate,
        row_number() over (
            partition by {% for key in keys %}compared.key_{{ loop.index }}, {% endfor %}compared.is_duplicate
            order by compared.version_number desc
        ) as recency
    from (
        select
            numbered.row_order,
            {%- for key in keys %}
            numbered.key_{{ loop.index }},
            {%- endfor %}
            numbered.version_number,
            numbered.version_number > 1 and not {{ pool_recon.differs('this_rows', 'previous_rows', content) }} as is_duplicate
        from (
            select
                export_rows.row_order,
                {%- for key in keys %}
                export_rows.{{ key }} as key_{{ loop.index }},
                {%- endfor %}
                row_number() over (partition by {% for key in keys %}export_rows.{{ key }}{{ ', ' if not loop.last }}{% endfor %} order by {{ ordering }}) as version_number,
                lag(export_rows.row_order) over (partition by {% for key in keys %}export_rows.{{ key }}{{ ', ' if not loop.last }}{% endfor %} order by {{ ordering }}) as previous_row_order
            from {{ pool_recon.at_hand('stg_' ~ export_name) }} as export_rows
            inner join {{ pool_recon.at_hand('int_rows_repeated') }} as repeated_rows
                on
                    export_rows.row_order = repeated_rows.row_order
                    and repeated_rows.export_name = '{{ export_name }}'
        ) as numbered
        inner join {{ pool_recon.at_hand('stg_' ~ export_name) }} as this_rows on numbered.row_order = this_rows.row_order
        left join {{ pool_recon.at_hand('stg_' ~ export_name) }} as previous_rows on numbered.previous_row_order = previous_rows.row_order
    ) as compared
) as versions
where
    versions.is_duplicate
    or versions.recency > 1
{% endmacro %}
