{#- The business date of the close as text; an error that says what to do where none is given. -#}
{% macro close_date() -%}
    {%- set stated = var('close_date', env_var('POOL_RECON_CLOSE_DATE', '')) | string | trim -%}
    {%- set stated = pool_recon.built_close_date() if execute and not stated and flags.WHICH not in ['build', 'run'] else stated -%}
    {%- set parts = stated.split('-') if modules.re.match('^[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}$', stated) else ['0', '1', '0'] -%}
    {#- the 31st of a short month is a day of the next one, and in every zone a date must have a beginning and an end -#}
    {%- set is_date = 1 < parts[0] | int < 9999 and (modules.datetime.datetime(parts[0] | int, parts[1] | int, 1) + modules.datetime.timedelta(days=parts[2] | int - 1)).isoformat()[:10] == stated -%}
    {%- if (execute or stated) and not is_date -%}
        {{ exceptions.raise_compiler_error("close_date is '" ~ stated ~ "'; expected the business date to close as YYYY-MM-DD, in the years 0002 to 9998: dbt build --vars 'close_date: 2026-06-30'") }}
    {%- endif -%}
    {{ return(stated if stated else '2000-01-01') }}
{%- endmacro %}


{#- The date that the warehouse was built for, to test or to read it without saying it again; nothing where it was not. -#}
{% macro built_close_date() -%}
    {%- if 'pool_recon_built_close_date' not in graph -%}
        {%- set node = graph.nodes.get('model.pool_recon.int_close') -%}
        {%- set close = adapter.get_relation(node.database, node.schema, node.alias) if node else none -%}
        {%- set rows = run_query('select cast(close_date as ' ~ dbt.type_string() ~ ') from ' ~ close).rows if close is not none else [] -%}
        {%- do graph.update({'pool_recon_built_close_date': rows[0][0] if rows | length == 1 else ''}) -%}
    {%- endif -%}
    {{ return(graph['pool_recon_built_close_date']) }}
{%- endmacro %}


{#-
    A moment of the close as a timestamp literal in UTC.

    Arguments:
        days: midnights to go on from the start of the close date (0: its opening, 1: its cut-off).
        seconds_before: seconds to go back from there.
-#}
{% macro close_moment(days, seconds_before=0) -%}
    {%- set wall = modules.datetime.datetime.strptime(pool_recon.close_date(), '%Y-%m-%d') + modules.datetime.timedelta(days=days) -%}
    {%- set zone = modules.pytz.timezone(pool_recon.business_time_zone()) -%}
    {#- a midnight that is there twice is the first of the two; one that is not there is the moment of the change -#}
    {%- set first = zone.localize(wall, is_dst=true) -%}
    {%- set is_there = zone.normalize(first).replace(tzinfo=none) == wall -%}
    {%- set midnight = (first if is_there else zone.localize(wall, is_dst=false)).astimezone(modules.pytz.utc) -%}
    {%- set moment = midnight - modules.datetime.timedelta(seconds=seconds_before) -%}
    cast('{{ moment.strftime('%Y-%m-%d %H:%M:%S') }}' as timestamp)
{%- endmacro %}


{#- The vars that are limits: what decides whether a build may go on from the last one knows them by these names. -#}
{% macro limits() -%}
    {{ return(['grace_period_seconds', 'settlement_limit_seconds', 'processing_limit_seconds']) }}
{%- endmacro %}

{#- The limit of that name in seconds, from the vars; an error that says what is wrong with it. -#}
{% macro limit_seconds(name) -%}
    {%- if name not in pool_recon.limits() -%}
        {{ exceptions.raise_compiler_error(name ~ ' is asked for as a limit; the macro limits lists ' ~ pool_recon.limits() | join(', ')) }}
    {%- endif -%}
    {%- set stated = var(name) | string | trim -%}
    {%- if not modules.re.match('^[0-9]{1,9}$', stated) -%}
        {{ exceptions.raise_compiler_error(name ~ " is '" ~ stated ~ "'; expected whole seconds from 0 to 999999999, such as 86400 for a day") }}
    {%- endif -%}
    {{ return(stated | int) }}
{%- endmacro %}


{#- The environment of a record of which nothing says one, from the vars; an error where that is no id. -#}
{% macro default_environment() -%}
    {{ return(pool_recon.stated_id('default_environment', var('default_environment'))) }}
{%- endmacro %}

{#- The partner of a record of which nothing says one, likewise. -#}
{% macro default_partner() -%}
    {{ return(pool_recon.stated_id('default_partner', var('default_partner'))) }}
{%- endmacro %}

{#- What the var of that name states as text, if that can be an id: neither nothing nor with blanks around it. -#}
{% macro stated_id(name, stated) -%}
    {%- set id = stated | string -%}
    {%- if stated is boolean or (stated is not string and stated is not integer) or not id or id != id | trim -%}
        {{ exceptions.raise_compiler_error(name ~ " is '" ~ stated ~ "'; expected an id, as the exports write it") }}
    {%- endif -%}
    {{ return(id) }}
{%- endmacro %}


{#- The end of the close date: what happened at or after it does not exist for this close. A literal, so that the engine
    knows how much of a table lies before it. -#}
{% macro cut_off_at() -%}
    {{ pool_recon.close_moment(1) }}
{%- endmacro %}


{#- The zone whose midnight ends the business date; the environment comes before the var. -#}
{% macro business_time_zone() -%}
    {%- set stated = env_var('POOL_RECON_TIME_ZONE', '') or var('business_time_zone') -%}
    {%- if stated not in modules.pytz.all_timezones -%}
        {{ exceptions.raise_compiler_error("business_time_zone is '" ~ stated ~ "'; expected an IANA name such as Europe/Berlin") }}
    {%- endif -%}
    {{ return(stated) }}
{%- endmacro %}


{#- Which close this run is of, in words that tell two apart. -#}
{% macro close_id() -%}
    {{ return(pool_recon.close_date() ~ ' in ' ~ pool_recon.business_time_zone()) }}
{%- endmacro %}
