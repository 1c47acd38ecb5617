{#- The landed texts of a row as one JSON object, in the order given, absent values left out.
    `columns` are (name, expression) pairs. -#}
{% macro row_as_text(columns) -%}
    {{ return(adapter.dispatch('row_as_text', 'pool_recon')(columns)) }}
{%- endmacro %}

{% macro default__row_as_text(columns) -%}
    '{' || concat_ws(',' {%- for name, expression in columns %}, '"{{ name }}":' || cast(to_json({{ expression }}) as varchar){% endfor %}) || '}'
{%- endmacro %}

{% macro postgres__row_as_text(columns) -%}
    '{' || concat_ws(',' {%- for name, expression in columns %}, '"{{ name }}":' || {{ pool_recon.postgres_json_text(expression) }}{% endfor %}) || '}'
{%- endmacro %}

{#- PostgreSQL names control characters by small letters; the few texts that have such a one are written letter by
    letter. -#}
{% macro postgres_json_text(text) -%}
    {%- set named = "'[\u000B\u000E\u000F\u001A-\u001F]'" -%}
    case
        when {{ text }} ~ {{ named }}
            then (
                select '"' || string_agg(
                    case
                        when letters.letter ~ {{ named }} then '\u00' || upper(lpad(to_hex(ascii(letters.letter)), 2, '0'))
                        else substr(cast(to_json(letters.letter) as text), 2, length(cast(to_json(letters.letter) as text)) - 2)
                    end, '' order by letters.place
                ) || '"'
                from regexp_split_to_table({{ text }}, '') with ordinality as letters (letter, place)
            )
        else cast(to_json(cast({{ text }} as text)) as text)
    end
{%- endmacro %}

{#- A text alone is no JSON for Spark: it is taken out of an array. The point of Java passes over several line ends only
    when told to. -#}
{% macro spark__row_as_text(columns) -%}
    '{' || concat_ws(',' {%- for name, expression in columns %}, case when {{ expression }} is not null then '"{{ name }}":' || regexp_extract(to_json(array({{ expression }})), '(?s)^.(.*).$', 1) end{% endfor %}) || '}'
{%- endmacro %}
