{#- An amount as an exact decimal text: at least the decimals of its asset, more only where they are not zero. -#}
{% macro amount_text(amount, minor_unit='0') -%}
    {{ return(adapter.dispatch('amount_text', 'pool_recon')(amount, minor_unit)) }}
{%- endmacro %}

{% macro default__amount_text(amount, minor_unit) -%}
    {%- set text = 'cast(' ~ amount ~ ' as ' ~ dbt.type_string() ~ ')' -%}
    {%- set decimals = "rtrim(" ~ pool_recon.part_of(text, '.', 2) ~ ", '0')" -%}
    {{ pool_recon.part_of(text, '.', 1) }} || case
        when length({{ decimals }}) > 0 or coalesce({{ minor_unit }}, 0) > 0
            then '.' || rpad({{ decimals }}, cast(greatest(length({{ decimals }}), coalesce({{ minor_unit }}, 0)) as integer), '0')
        else ''
    end
{%- endmacro %}

{#- PostgreSQL knows how many decimals a number needs; it keeps no scale of sums. -#}
{% macro postgres__amount_text(amount, minor_unit) -%}
    cast(round({{ amount }}, greatest(min_scale({{ amount }}), cast(coalesce({{ minor_unit }}, 0) as integer))) as text)
{%- endmacro %}

{#- DuckDB prints all 18 decimals; looking whether those beyond the scale of the asset are zeros is quicker than taking
    the number apart. -#}
{% macro duckdb__amount_text(amount, minor_unit) -%}
    {%- set text = 'cast(cast(' ~ amount ~ ' as ' ~ pool_recon.money_type() ~ ') as varchar)' -%}
    {%- set beyond = '(18 - coalesce(' ~ minor_unit ~ ', 0))' -%}
    case
        when ends_with({{ text }}, repeat('0', {{ beyond }}))
            then left({{ text }}, strlen({{ text }}) - case when {{ beyond }} = 18 then 19 else {{ beyond }} end)
        else rtrim({{ text }}, '0')
    end
{%- endmacro %}

{% macro spark__amount_text(amount, minor_unit) -%}
    {%- set text = 'cast(' ~ amount ~ ' as string)' -%}
    {%- set decimals = "regexp_replace(" ~ pool_recon.part_of(text, '.', 2) ~ ", '0+$', '')" -%}
    {{ pool_recon.part_of(text, '.', 1) }} || case
        when length({{ decimals }}) > 0 or coalesce({{ minor_unit }}, 0) > 0
            then '.' || rpad({{ decimals }}, greatest(length({{ decimals }}), coalesce({{ minor_unit }}, 0)), '0')
        else ''
    end
{%- endmacro %}
