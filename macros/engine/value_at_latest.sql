{#- The value of the row that is last (or first) by a moment and then by an id, within a group.
    `condition` limits the rows that count. Engines differ in the aggregate. -#}
{% macro value_at_latest(value, moment, id, condition='true') -%}
    {{ return(adapter.dispatch('value_at_latest', 'pool_recon')(value, moment, id, condition)) }}
{%- endmacro %}

{% macro default__value_at_latest(value, moment, id, condition) -%}
    arg_max({{ value }}, row({{ moment }}, {{ id }})) filter (where {{ condition }})
{%- endmacro %}

{% macro postgres__value_at_latest(value, moment, id, condition) -%}
    (array_agg({{ value }} order by {{ moment }} desc, {{ id }} collate "C" desc) filter (where {{ condition }} and {{ value }} is not null))[1]
{%- endmacro %}

{#- The same of the row that is first. -#}
{% macro value_at_earliest(value, moment, id, condition='true') -%}
    {{ return(adapter.dispatch('value_at_earliest', 'pool_recon')(value, moment, id, condition)) }}
{%- endmacro %}

{% macro default__value_at_earliest(value, moment, id, condition) -%}
    arg_min({{ value }}, row({{ moment }}, {{ id }})) filter (where {{ condition }})
{%- endmacro %}

{% macro postgres__value_at_earliest(value, moment, id, condition) -%}
    (array_agg({{ value }} order by {{ moment }}, {{ id }} collate "C") filter (where {{ condition }} and {{ value }} is not null))[1]
{%- endmacro %}

{% macro spark__value_at_latest(value, moment, id, condition) -%}
    max_by({{ value }}, struct({{ moment }}, {{ id }})) filter (where {{ condition }} and {{ moment }} is not null and {{ value }} is not null)
{%- endmacro %}

{% macro spark__value_at_earliest(value, moment, id, condition) -%}
    min_by({{ value }}, struct({{ moment }}, {{ id }})) filter (where {{ condition }} and {{ moment }} is not null and {{ value }} is not null)
{%- endmacro %}
