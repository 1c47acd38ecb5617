{#- A text in lower case, one letter for one letter. Engines differ in the letters beyond ASCII. -#}
{% macro lower_case(text) -%}
    {{ return(adapter.dispatch('lower_case', 'pool_recon')(text)) }}
{%- endmacro %}

{% macro default__lower_case(text) -%}
    lower({{ text }})
{%- endmacro %}

{#- PostgreSQL knows only ASCII letters in the order of bytes. ICU knows all of them, and has two of its own ways with
    letters that another engine maps singly. -#}
{% macro postgres__lower_case(text) -%}
    lower(translate({{ text }}, U&'\0130\03A3', U&'i\03C3') collate "und-x-icu") collate "C"
{%- endmacro %}

{#- Java minds where in a word a letter stands, and makes two letters of one. -#}
{% macro spark__lower_case(text) -%}
    lower(translate({{ text }}, '\u0130\u03A3', 'i\u03C3'))
{%- endmacro %}
