{#- The columns of the exception register in the order of the file. -#}
{% macro register_columns() -%}
    {{ return(['code', 'subject_type', 'subject_id', 'environment', 'owner', 'next_review_date', 'approved_by', 'approved_on', 'reason', 'expires_on', 'evidence_hash']) }}
{%- endmacro %}
