{#-
    True when source × rate differs from target by more than a tolerance, exactly. Amounts of 38 digits have
    products of 76, which only PostgreSQL holds. Elsewhere factors that are short enough are multiplied natively, and long ones are
    compared limb by limb: each number as limbs of ten digits, the difference carried up from the lowest limb, its
    sign read from the last carry.

    Arguments: columns or expressions of the money type; source, target and tolerance are not below zero.
-#}
{% macro product_misses(source, rate, target, tolerance) -%}
    {{ return(adapter.dispatch('product_misses', 'pool_recon')(source, rate, target, tolerance)) }}
{%- endmacro %}

{% macro postgres__product_misses(source, rate, target, tolerance) -%}
    abs({{ source }} * {{ rate }} - {{ target }}) > {{ tolerance }}
{%- endmacro %}

{% macro default__product_misses(source, rate, target, tolerance) -%}
    case
        when {{ rate }} is null then false
        when {{ rate }} < 0 then {{ pool_recon.product_reaches(source, '(-' ~ rate ~ ')', tolerance, '-', target, 1) }}
        when
            {{ source }} < 1000000000 and {{ target }} < 1000000000
            and {{ rate }} < 100000000 and {{ rate }} = cast({{ rate }} as decimal(18, 10))
            and cast(trunc({{ source }}) as decimal(20, 0)) * cast({{ rate }} as decimal(18, 10)) < 1000000000
            then abs(
                cast(cast(trunc({{ source }}) as decimal(20, 0)) * cast({{ rate }} as decimal(18, 10)) as decimal(38, 28))
                + cast({{ source }} - trunc({{ source }}) as decimal(20, 18)) * cast({{ rate }} as decimal(18, 10))
                - cast({{ target }} as decimal(38, 28))
            ) > cast({{ tolerance }} as decimal(38, 28))
        when
            {{ source }} < 1000000000 and {{ source }} = cast({{ source }} as decimal(18, 8))
            and {{ rate }} < 100 and {{ target }} < 1000000000
            then abs(
                cast(cast({{ source }} as decimal(18, 8)) * cast({{ rate }} as decimal(20, 18)) as decimal(38, 26))
                - cast({{ target }} as decimal(38, 26))
            ) > cast({{ tolerance }} as decimal(38, 26))
        else
            {{ pool_recon.product_differs(source, rate, target, tolerance) }}
    end
{%- endmacro %}

{#- The same for an engine whose own products lose digits: limb by limb for all numbers. -#}
{% macro product_misses_by_limbs(source, rate, target, tolerance) -%}
    case
        when {{ rate }} is null then false
        when {{ rate }} < 0 then {{ pool_recon.product_reaches(source, '(-' ~ rate ~ ')', tolerance, '-', target, 1) }}
        else
            {{ pool_recon.product_differs(source, rate, target, tolerance) }}
    end
{%- endmacro %}

{% macro product_differs(source, rate, target, tolerance) -%}
    not ({{ pool_recon.product_reaches(source, rate, target, '-', tolerance, 0) }})
            or {{ pool_recon.product_reaches(source, rate, target, '+', tolerance, 1) }}
{%- endmacro %}

{#- source × rate ≥ target ± tolerance + excess × 10^-36, of numbers that are not below zero. A rate below zero misses where
    source × -rate + target is more than the tolerance. -#}
{% macro product_reaches(source, rate, target, sign, tolerance, excess) -%}
    {%- set ns = namespace(carry='-' ~ excess) -%}
    {%- for place in range(7) -%}
        {%- set products = [] -%}
        {%- for left in range(4) -%}
            {%- if 0 <= place - left < 4 -%}
                {%- do products.append(pool_recon.limb(source, left, 0) ~ ' * ' ~ pool_recon.limb(rate, place - left, 0)) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set ns.carry = pool_recon.floor_divided(products | join(' + ') ~ ' - ' ~ pool_recon.limb(target, place, 18) ~ (' - ' if sign == '+' else ' + ') ~ pool_recon.limb(tolerance, place, 18) ~ ' + (' ~ ns.carry ~ ')') -%}
    {%- endfor -%}
    ({{ ns.carry }} >= 0)
{%- endmacro %}

{#- The limb of ten digits at a place (0 is the lowest) of a number times 10^18, with further zeros appended. -#}
{% macro limb(number, place, zeros) -%}
    cast(substring(lpad(replace(cast({{ number }} as {{ dbt.type_string() }}), '.', '') || '{{ "0" * zeros }}', 70, '0'), {{ 61 - 10 * place }}, 10) as decimal(38, 0))
{%- endmacro %}

{#- A whole number divided by 10^10, rounded down: the digits are cut from a text, after a shift that keeps it positive. -#}
{% macro floor_divided(number) -%}
    cast(substring(cast({{ number }} + 2000000000000000000000000000000 as {{ dbt.type_string() }}), 1, 21) as decimal(38, 0)) - 200000000000000000000
{%- endmacro %}

{#- A product of decimals of 38 digits loses decimals without a word: whole numbers only. -#}
{% macro spark__product_misses(source, rate, target, tolerance) -%}
    {{ pool_recon.product_misses_by_limbs(source, rate, target, tolerance) }}
{%- endmacro %}
