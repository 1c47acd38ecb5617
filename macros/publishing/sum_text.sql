{#-
    The exact sum of amounts as a decimal text, also where it has more than 20 integer digits: whole parts and fractions
    are summed apart and put together as text. For a grouped select.

    Arguments:
        amount: expression of the money type.
        minor_unit: aggregate that gives the decimals to show at least.
-#}
{% macro sum_text(amount, minor_unit='0') -%}
    {%- set whole = 'sum(cast(' ~ pool_recon.whole_part(amount) ~ ' as decimal(38, 0)))' -%}
    {%- set fraction = 'sum(' ~ amount ~ ' - ' ~ pool_recon.whole_part(amount) ~ ')' -%}
    {%- set floor = '(' ~ whole ~ ' + cast(floor(' ~ fraction ~ ') as decimal(38, 0)))' -%}
    {%- set rest = '(' ~ fraction ~ ' - floor(' ~ fraction ~ '))' -%}
    case
        when {{ floor }} >= 0 or {{ rest }} = 0
            then cast({{ floor }} as {{ dbt.type_string() }}) || substring({{ pool_recon.amount_text('cast(' ~ rest ~ ' as decimal(38, 18))', minor_unit) }}, 2)
        when {{ floor }} = -1 then '-0' || substring({{ pool_recon.amount_text('cast(1 - ' ~ rest ~ ' as decimal(38, 18))', minor_unit) }}, 2)
        else cast({{ floor }} + 1 as {{ dbt.type_string() }}) || substring({{ pool_recon.amount_text('cast(1 - ' ~ rest ~ ' as decimal(38, 18))', minor_unit) }}, 2)
    end
{%- endmacro %}
