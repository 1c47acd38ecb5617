{#- A flag as published: true, false, or empty. -#}
{% macro flag_text(flag) -%}
    case {{ flag }} when true then 'true' when false then 'false' end
{%- endmacro %}
