{#- A UTC timestamp as published: YYYY-MM-DDTHH:MM:SS, six decimals where there are any, and Z. -#}
{% macro timestamp_text(moment) -%}
    {{ return(adapter.dispatch('timestamp_text', 'pool_recon')(moment)) }}
{%- endmacro %}

{% macro default__timestamp_text(moment) -%}
    case
        when extract(microsecond from {{ moment }}) % 1000000 = 0 then strftime({{ moment }}, '%Y-%m-%dT%H:%M:%SZ')
        else strftime({{ moment }}, '%Y-%m-%dT%H:%M:%S.%fZ')
    end
{%- endmacro %}

{% macro postgres__timestamp_text(moment) -%}
    case
        when cast(extract(microsecond from {{ moment }}) as integer) % 1000000 = 0 then to_char({{ moment }}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        else to_char({{ moment }}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    end
{%- endmacro %}

{% macro spark__timestamp_text(moment) -%}
    case
        when extract(second from {{ moment }}) = floor(extract(second from {{ moment }})) then date_format({{ moment }}, 'yyyy-MM-dd\'T\'HH:mm:ss\'Z\'')
        else date_format({{ moment }}, 'yyyy-MM-dd\'T\'HH:mm:ss.SSSSSS\'Z\'')
    end
{%- endmacro %}
