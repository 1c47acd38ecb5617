{#-
    What several records state of one thing, each with its value, where these differ; null where there is but one value.

    Arguments:
        values: the expression of each record, by what the record is called.
-#}
{% macro differing_values(values) -%}
    {%- set stated = [] -%}
    {%- for record, value in values.items() -%}
        {%- do stated.append("'" ~ record ~ " ' || " ~ value) -%}
    {%- endfor -%}
    case
        when {{ pool_recon.lowest_of(values.values()) }} <> {{ pool_recon.highest_of(values.values()) }}
            then {{ pool_recon.joined_texts(', ', stated) }}
    end
{%- endmacro %}
