{#- The words of a name in lower case, separated by single blanks; a capital after a small letter begins a word,
    and so do digits and what follows them. -#}
{% macro words_of(name) -%}
    {{ return(adapter.dispatch('words_of', 'pool_recon')(name)) }}
{%- endmacro %}

{% macro default__words_of(name) -%}
    regexp_replace({{ pool_recon.lower_case("regexp_replace(regexp_replace(regexp_replace(" ~ name ~ ", '([0-9]+)', ' \\1 ', 'g'), '([a-z])([A-Z])', '\\1 \\2', 'g'), '([A-Z])([A-Z][a-z])', '\\1 \\2', 'g')") }}, '[^a-z0-9]+', ' ', 'g')
{%- endmacro %}

{% macro spark__words_of(name) -%}
    regexp_replace({{ pool_recon.lower_case("regexp_replace(regexp_replace(regexp_replace(" ~ name ~ ", '([0-9]+)', ' $1 '), '([a-z])([A-Z])', '$1 $2'), '([A-Z])([A-Z][a-z])', '$1 $2')") }}, '[^a-z0-9]+', ' ')
{%- endmacro %}
