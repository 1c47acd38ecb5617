{#-
    True when source × rate differs from target by more than a tolerance, exactly. Amounts of 38 digits have
    products of 76, which only PostgreSQL holds. Elsewhere, but on DuckDB, they are compared limb by limb: each number as limbs of ten
    digits, the difference carried up from the lowest limb, its sign read from the last carry.

    Arguments: columns or expressions of the money type; source, target and tolerance are not below zero.
-#}
{% macro product_misses(source, rate, target, tolerance) -%}
    {{ return(adapter.dispatch('product_misses', 'pool_recon')(source, rate, target, tolerance)) }}
{%- endmacro %}

{% macro postgres__product_misses(source, rate, target, tolerance) -%}
    abs({{ source }} * {{ rate }} - {{ target }}) > {{ tolerance }}
{%- endmacro %}

{% macro default__product_misses(source, rate, target, tolerance) -%}
    {{ pool_recon.product_misses_by_limbs(source, rate, target, tolerance) }}
{%- endmacro %}

{#-
    DuckDB needs a microsecond to bring a decimal of 38 digits to fewer decimals, a third of that to make it a floating point
    number. Such a number, and a product of two, is off by less than 2 × 10^-15 of its size: a target that is less than
    4 × 10^11 times the tolerance, and is missed by less than 99 hundredths of it, is not missed. What is bought of an asset
    of 18 decimals is mostly paid with one of few: a source of 6 decimals times a rate below 100 is a decimal of 38 digits,
    exactly. Of all others, whole numbers are compared, which takes twenty microseconds.
-#}
{% macro duckdb__product_misses(source, rate, target, tolerance) -%}
    case
        when {{ rate }} is null or {{ tolerance }} is null then false
        when
            {{ target }} < 400000000000 * {{ tolerance }}
            and abs(cast({{ source }} as double) * cast({{ rate }} as double) - cast({{ target }} as double)) < 0.99 * cast({{ tolerance }} as double)
            then false
        when
            {{ source }} < 1000000000000 and {{ rate }} >= 0 and {{ rate }} < 100 and {{ target }} < 10000000000000
            and {{ source }} = try_cast({{ source }} as decimal(18, 6))
            then abs(cast({{ source }} as decimal(18, 6)) * cast({{ rate }} as decimal(20, 18)) - cast({{ target }} as decimal(38, 24))) > {{ tolerance }}
        {#- A target has 20 integer digits at most. #}
        when cast({{ source }} as double) * cast(abs({{ rate }}) as double) > case when {{ rate }} < 0 then 1.01 * cast({{ tolerance }} as double) else 1.5e20 end
            then true
        else {{ pool_recon.product_misses_by_wholes(source, rate, target, tolerance) }}
    end
{%- endmacro %}

{#-
    The same for products below 1.5 × 10^20, or about the tolerance where the rate is below zero. As many units of 10^-18
    fit into a whole number of DuckDB: those of each factor, parted at the point, are multiplied, and what is left of the
    lowest product decides between equals.
-#}
{% macro product_misses_by_wholes(source, rate, target, tolerance) -%}
    {%- set one = '1000000000000000000' -%}
    {%- set units, wholes, parts = [], [], [] -%}
    {%- for number in [source, 'abs(' ~ rate ~ ')', target, tolerance] -%}
        {%- set unit = 'cast(replace(cast(' ~ number ~ " as varchar), '.', '') as hugeint)" -%}
        {%- do units.append(unit) -%}
        {%- do wholes.append('(' ~ unit ~ ' // ' ~ one ~ ')') -%}
        {%- do parts.append('(' ~ unit ~ ' % ' ~ one ~ ')') -%}
    {%- endfor -%}
    {%- set rest = '(' ~ parts[0] ~ ' * ' ~ parts[1] ~ ')' -%}
    {%- set product = wholes[0] ~ ' * ' ~ wholes[1] ~ ' * ' ~ one ~ ' + ' ~ wholes[0] ~ ' * ' ~ parts[1] ~ ' + ' ~ wholes[1] ~ ' * ' ~ parts[0] ~ ' + ' ~ rest ~ ' // ' ~ one -%}
    {%- set missing = '(' ~ product ~ ' - case when ' ~ rate ~ ' < 0 then -1 else 1 end * ' ~ units[2] ~ ')' -%}
    abs({{ missing }}) > {{ units[3] }} or {{ missing }} = {{ units[3] }} and {{ rest }} % {{ one }} > 0
{%- endmacro %}

{#- The same for an engine whose own products lose digits: limb by limb. -#}
{% macro product_misses_by_limbs(source, rate, target, tolerance) -%}
    case
        when {{ rate }} is null or {{ tolerance }} is null then false
        when {{ rate }} < 0 then {{ pool_recon.product_reaches(source, '(-' ~ rate ~ ')', tolerance, '-', target, 1) }}
        else
            {{ pool_recon.product_differs(source, rate, target, tolerance) }}
    end
{%- endmacro %}

{#- True where source × rate is further from the target than the tolerance, on either side; none of them is below zero. -#}
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
