{#- A text that matches the timestamp pattern as a UTC timestamp without zone, null where no such moment
    exists (30 February) or where it leaves the years 1 to 9999. Digits beyond the microsecond are cut. -#}
{% macro utc_timestamp(column) -%}
    {{ return(adapter.dispatch('utc_timestamp', 'pool_recon')(column)) }}
{%- endmacro %}

{#- Only where the year is at an end of the range has the moment itself to be looked at; no offset leads further than a day. -#}
{% macro default__utc_timestamp(column) -%}
    {%- set microseconds = 'epoch_us(try_cast(' ~ column ~ ' as timestamptz))' -%}
    case
        when {{ column }} >= '0002' and {{ column }} < '9999' then make_timestamp({{ microseconds }})
        when {{ microseconds }} between -62135596800000000 and 253402300799999999 then make_timestamp({{ microseconds }})
    end
{%- endmacro %}

{#- A cast would raise where there is no such moment, round what is beyond the microsecond, take an offset of at most 16
    hours and read a text without one in the zone of the session. So the moment is put together from its parts, 400 years
    (146097 days) later, because the year 0 is none for PostgreSQL; an offset can bring it into the year 1. -#}
{% macro postgres__utc_timestamp(column) -%}
    {%- set year = 'cast(left(' ~ column ~ ', 4) as integer)' -%}
    {%- set month = 'cast(substr(' ~ column ~ ', 6, 2) as integer)' -%}
    {%- set day = 'cast(substr(' ~ column ~ ', 9, 2) as integer)' -%}
    {%- set offset = "replace(substring(substr(" ~ column ~ ", 17) from '[+-].*'), ':', '')" -%}
    {%- set moment -%}
        make_date({{ year }} + 400, {{ month }}, {{ day }}) - 146097
        + cast(substr({{ column }}, 12, 5) || coalesce(substring(substr({{ column }}, 17) from '^:[0-9]{2}(?:\.[0-9]{1,6})?'), '') as time)
        - coalesce(make_interval(hours => cast(left({{ offset }}, 3) as integer), mins => cast(left({{ offset }}, 1) || coalesce(nullif(substr({{ offset }}, 4), ''), '0') as integer)), interval '0')
    {%- endset -%}
    case
        when
            {{ day }} > case
                when {{ month }} in (4, 6, 9, 11) then 30
                when {{ month }} <> 2 then 31
                when {{ year }} % 4 = 0 and ({{ year }} % 100 <> 0 or {{ year }} % 400 = 0) then 29
                else 28
            end
            then null
        when
            {{ year }} between 2 and 9998
            or {{ moment }} between cast('0001-01-01 00:00:00' as timestamp) and cast('9999-12-31 23:59:59.999999' as timestamp)
            then {{ moment }}
    end
{%- endmacro %}

{% macro spark__utc_timestamp(column) -%}
    {%- set rest = 'substr(' ~ column ~ ', 17)' -%}
    {%- set offset = "replace(regexp_substr(" ~ rest ~ ", '[+-].*'), ':', '')" -%}
    {%- set minutes = "coalesce(cast(left(" ~ offset ~ ", 1) || '1' as int) * (cast(substr(" ~ offset ~ ", 2, 2) as int) * 60 + coalesce(cast(nullif(substr(" ~ offset ~ ", 4), '') as int), 0)), 0)" -%}
    {%- set moment = "timestampadd(minute, -" ~ minutes ~ ", try_cast(left(" ~ column ~ ", 10) || ' ' || substr(" ~ column ~ ", 12, 5) || coalesce(regexp_substr(" ~ rest ~ ", '^:[0-9]{2}([.][0-9]{1,6})?'), ':00') as timestamp))" -%}
    case when {{ moment }} between cast('0001-01-01 00:00:00' as timestamp) and cast('9999-12-31 23:59:59.999999' as timestamp) then {{ moment }} end
{%- endmacro %}
