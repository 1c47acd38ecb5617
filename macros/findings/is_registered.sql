{#- Whether a row of the exception register is about a finding; one without environment is about those of any. -#}
{% macro is_registered(findings, register) -%}
{{ findings }}.code = {{ register }}.code
and {{ findings }}.subject_type = {{ register }}.subject_type
and {{ findings }}.subject_id = {{ register }}.subject_id
and {{ findings }}.environment = coalesce({{ register }}.environment, {{ findings }}.environment)
{%- endmacro %}
