{#- A text with one blank for every run of white space, and none around it; null where nothing remains. White space is
    that of Unicode, as in Python, a no-break space for one. -#}
{% macro single_blanks(text) -%}
    nullif(trim({{ pool_recon.matches_replaced(text, '()' ~ pool_recon.white_space() ~ '+', ' ') }}), '')
{%- endmacro %}

{#- The characters of white space as a pattern. PostgreSQL spells their numbers in a way of its own. -#}
{% macro white_space() -%}
    {{ return(adapter.dispatch('white_space', 'pool_recon')()) }}
{%- endmacro %}

{% macro default__white_space() -%}
    [\x{9}-\x{d}\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]
{%- endmacro %}

{% macro postgres__white_space() -%}
    [\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]
{%- endmacro %}

{#- The name of a person as it is compared: in small letters of which none has two forms, one blank for every run of white
    space. -#}
{% macro person(name) -%}
    replace(replace({{ pool_recon.lower_case(pool_recon.single_blanks(name)) }}, 'ς', 'σ'), 'ß', 'ss')
{%- endmacro %}
