{#-
    Refuse to build or test a part of the project for another close than the warehouse holds, or than a build that was not
    finished was for: the models would be of two dates, and the history of closes would have one that never was. A run that
    builds int_close sets the close itself. Of what dbt retry builds nothing is known here but that it was not finished.
-#}
{% macro refuse_another_close() -%}
    {%- set int_close = 'model.pool_recon.int_close' -%}
    {%- if execute and flags.WHICH in ['build', 'run', 'test'] -%}
    {%- set parts = [] -%}
    {%- for id in selected_resources if id.split('.')[0] in ['model', 'test'] and id.split('.')[1] == 'pool_recon' -%}
        {%- do parts.append(id) -%}
    {%- endfor -%}
    {%- if parts or not selected_resources -%}
    {#- once, and not for each of what is selected -#}
    {%- do pool_recon.close_date() -%}
    {%- set unfinished = pool_recon.unfinished_models() -%}
    {%- set closes = [unfinished.close_id] if unfinished.close_id and flags.WHICH != 'test' and pool_recon.models_left_out() else [] -%}
    {%- set node = graph.nodes.get(int_close) if int_close not in (selected_resources or unfinished.unique_ids) else none -%}
    {%- set close = adapter.get_relation(node.database, node.schema, node.alias) if node else none -%}
    {%- if close is not none -%}
        {%- for row in run_query("select cast(close_date as " ~ dbt.type_string() ~ ") as close_date, business_time_zone from " ~ close).rows -%}
            {%- do closes.append(row[0] ~ ' in ' ~ row[1]) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- for close_id in closes if close_id != pool_recon.close_id() -%}
        {{ exceptions.raise_compiler_error("the warehouse was built for the close of " ~ close_id ~ ", and this run says " ~ pool_recon.close_id() ~ ": say the same, or build everything") }}
    {%- endfor -%}
    {%- endif -%}
    {%- endif -%}
{%- endmacro %}
