{#- Seeds of DuckDB: the database reads the file itself, by the declared types. dbt's own way reads it in Python before, to
    guess types that are declared here for every column. -#}
{% materialization seed, adapter='duckdb' %}
    {%- set types = [] -%}
    {%- for column, type in config.get('column_types', {}).items() -%}
        {%- do types.append("'" ~ column ~ "': '" ~ type ~ "'") -%}
    {%- endfor -%}
    {%- set create_statement -%}
        create table {{ this }} as
        select * from read_csv(
            '{{ adapter.get_seed_file_path(model) | replace("'", "''") }}',
            header = true, delim = ',', quote = '"', escape = '"', types = { {{- types | join(', ') -}} }
        )
    {%- endset -%}
    {#- dbt looks for the rows to show of them. -#}
    {%- do store_result('agate_table', response='OK') -%}
    {{ return(pool_recon.replace_in_place('table', create_statement)) }}
{% endmaterialization %}
