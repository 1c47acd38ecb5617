with source as (

    select * from {{ pool_recon.landed('exception_register') }}

),

renamed as (

    select
        {%- for column in ['code', 'subject_type', 'environment'] %}
        {{ pool_recon.lower_case(pool_recon.trimmed(column)) }} as {{ column }},
        {%- endfor %}
        {{ pool_recon.trimmed('subject_id') }} as subject_id,
        {#- A no-break space alone is no name and no reason. #}
        {%- for column in ['owner', 'approved_by', 'reason'] %}
        case when {{ pool_recon.single_blanks(column) }} is not null then {{ pool_recon.trimmed(column) }} end as {{ column }},
        {%- endfor %}
        {{ pool_recon.trimmed('evidence_hash') }} as evidence_hash,
        {%- for column in ['next_review_date', 'approved_on', 'expires_on'] %}
        cast({{ pool_recon.trimmed(column) }} as date) as {{ column }},
        {%- endfor %}
        line_number
    from source

)

select * from renamed
