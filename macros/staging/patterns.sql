{#- What an amount may look like: optional sign, 1 to 20 integer digits, optionally a point and 1 to 18 digits. -#}
{% macro amount_pattern() -%}
    [+-]?[0-9]{1,20}(?:\.[0-9]{1,18})?
{%- endmacro %}

{#- The same without regard to the number of digits: tells "too many digits" from "no amount". -#}
{% macro amount_of_any_size_pattern() -%}
    [+-]?[0-9]+(?:\.[0-9]+)?
{%- endmacro %}

{#- What a number of a kind looks like without regard to the number of its digits; one that has to be above zero has no
    minus and a digit that is not 0. -#}
{% macro any_size_pattern(kind) -%}
    {%- if kind == 'whole_number' -%}
    [+-]?[0-9]+
    {%- elif kind == 'positive_amount' -%}
    [+]?(?:0*[1-9][0-9]*(?:\.[0-9]+)?|0+\.0*[1-9][0-9]*)
    {%- else -%}
    {{ pool_recon.amount_of_any_size_pattern() }}
    {%- endif -%}
{%- endmacro %}

{#- An entry sequence: a whole number. -#}
{% macro whole_number_pattern() -%}
    [+-]?[0-9]{1,20}
{%- endmacro %}

{#- A word in the place of a balance: letters, then letters, blanks, `_` and `-`. -#}
{% macro balance_word_pattern() -%}
    [A-Za-z][A-Za-z _-]*
{%- endmacro %}

{#- ISO 8601 date and time, seconds optional, up to nine decimals, `Z`, an offset, or nothing for UTC. -#}
{% macro timestamp_pattern() -%}
    [0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?
{%- endmacro %}
