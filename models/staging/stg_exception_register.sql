with source as (

    select * from {{ pool_recon.landed('exception_register') }}

),

renamed as (

    select
        {%- for column in ['code', 'subject_type', 'environment'] %}
        {{ pool_recon.lower_case(pool_recon.trimmed(column)) }} as {{ column }},
        {%- endfor %}
        {%- for column in ['subject_id', 'owner', 'approved_by', 'reason', 'evidence_hash'] %}
        {{ pool_recon.trimmed(column) }} as {{ column }},
        {%- endfor %}
        {%- for column in ['next_review_date', 'approved_on', 'expires_on'] %}
        cast({{ pool_recon.trimmed(column) }} as date) as {{ column }},
        {%- endfor %}
        line_number
    from source

)

select * from renamed
