{#- Lets the engine raise an error where it would otherwise give null, for a session in which that is a choice. -#}
{% macro strict_session() -%}
    {{ return(adapter.dispatch('strict_session', 'pool_recon')()) }}
{%- endmacro %}

{% macro default__strict_session() -%}
{%- endmacro %}

{#- dbt-spark turns ANSI mode off before each statement, and a sum of amounts that overflows would be null. It takes the
    setting from its credentials, which are there to be changed. An adapter that inherits from it does no such thing. -#}
{% macro spark__strict_session() -%}
    {%- if execute and adapter.type() == 'spark' -%}
        {%- do adapter.config.credentials.server_side_parameters.update({'spark.sql.ansi.enabled': 'true'}) -%}
        {%- if run_query('set spark.sql.ansi.enabled').rows[0][1] | string | lower != 'true' -%}
            {{ exceptions.raise_compiler_error("pool_recon: ANSI mode is off in this Spark session, so that sums that overflow would be null; expected a session in which spark.sql.ansi.enabled can be set to true") }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
