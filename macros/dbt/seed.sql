{#- Seeds of DuckDB: the database reads the file itself, by the declared types. dbt's own way reads it in Python before, to
    guess types that are declared here for every column. -#}
{% materialization seed, adapter='duckdb' %}
    {%- set file = adapter.get_seed_file_path(model) | replace("'", "''") -%}
    {%- set declared = config.get('column_types', {}) -%}
    {#- Nothing is left to be guessed, or a row with a field too few would become what the reader finds likely. -#}
    {%- set header = run_query("select replace(split_part(replace(content, chr(13), chr(10)), chr(10), 1), chr(65279), '') from read_text('" ~ file ~ "')").rows[0][0] -%}
    {%- set columns = modules.re.findall('[^,]+', header | replace('"', '')) | map('trim') | list -%}
    {%- set missing = declared | reject('in', columns) | list -%}
    {%- if missing -%}
        {{ exceptions.raise_compiler_error(model.original_file_path ~ ': the first line lacks ' ~ missing | join(', ') ~ '; expected ' ~ declared | join(',') ~ ' in any order, separated by commas; found ' ~ header) }}
    {%- endif -%}
    {%- set types = [] -%}
    {%- for column in columns -%}
        {%- do types.append("'" ~ column | replace("'", "''") ~ "': '" ~ declared.get(column, 'varchar') ~ "'") -%}
    {%- endfor -%}
    {%- set create_statement -%}
        create table {{ this }} as
        select * from read_csv(
            '{{ file }}',
            auto_detect = false, header = true, delim = ',', quote = '"', escape = '"', columns = { {{- types | join(', ') -}} }
        )
    {%- endset -%}
    {#- dbt looks for the rows to show of them. -#}
    {%- do store_result('agate_table', response='OK') -%}
    {{ return(pool_recon.replace_in_place('table', create_statement)) }}
{% endmaterialization %}
