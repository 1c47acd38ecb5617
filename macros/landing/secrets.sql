{#- What a secret looks like: the prefix of a credential, then at least eight letters, digits or underscores. -#}
{% macro secret_pattern() -%}
    (sk_live_|sk_test_|whsec_)[A-Za-z0-9_]{8,}
{%- endmacro %}

{#- A text in which nothing remains of a secret but its prefix. -#}
{% macro secrets_masked(column) -%}
    {{ pool_recon.matches_replaced(column, pool_recon.secret_pattern(), '***') }}
{%- endmacro %}

{#- The same of a name that is known while dbt compiles. -#}
{% macro masked_name(name) -%}
    {{ return(modules.re.sub(pool_recon.secret_pattern() | trim, '\\1***', name)) }}
{%- endmacro %}
