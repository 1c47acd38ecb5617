{#-
    The staging of one export: every landed row once, its texts trimmed, its values typed, and the reasons
    why it cannot be read exactly, if any.

    Arguments:
        export_name: the table of the raw schema.
        columns: (name, kind) pairs in the order of the export. Kinds:
            id            text, untouched but for the white space around it
            state         lower-cased text whose vocabulary is open (reference data, not the reader, judges it)
            <vocabulary>  a word of that vocabulary of ref_vocabularies, lower-cased
            flag          true, false, 1, 0, yes, no
            amount        exact decimal; `positive_amount` must be above zero as well
            whole_number  exact decimal without a fraction
            stated_balance  an amount, or a word, which reads as null
            timestamp     UTC
        required: names whose absence puts the row in quarantine.
        defaults: {name: word} where an absent value means that word.

    Quarantine reasons are joined by `; `, each with its column.
-#}
{% macro stage_export(export_name, columns, required, defaults={}) %}
{%- set texts = ['id'] -%}
{%- set numbers = ['amount', 'positive_amount', 'whole_number', 'stated_balance'] -%}
{%- set reasons = ["case when is_malformed then 'malformed_row' end"] -%}
{%- for name, kind in columns -%}
{%- if name in required -%}
{%- do reasons.append("case when not is_malformed and " ~ (name if kind in texts else name ~ '_text') ~ " is null then 'missing_required_value (" ~ name ~ ")' end") -%}
{%- endif -%}
{%- set reason -%}
            {%- if kind == 'timestamp' -%}
            case when {{ name }} is null and {{ name }}_text is not null then 'invalid_timestamp ({{ name }})' end
            {%- elif kind in ('amount', 'positive_amount', 'whole_number') -%}
            case
                when {{ name }} is null and {{ name }}_text is not null then case when {{ pool_recon.matches_whole(name ~ '_text', pool_recon.any_size_pattern(kind)) }} then 'amount_out_of_range ({{ name }})' else 'invalid_amount ({{ name }})' end
                {%- if kind == 'positive_amount' %}
                when {{ name }} <= 0 then 'invalid_amount ({{ name }})'
                {%- endif %}
            end
            {%- elif kind == 'stated_balance' -%}
            case
                when {{ name }} is not null or {{ name }}_text is null then null
                when {{ pool_recon.matches_whole(name ~ '_text', pool_recon.amount_of_any_size_pattern()) }} then 'amount_out_of_range ({{ name }})'
                when lower({{ name }}_text) in ('nan', 'inf', 'infinity') then 'invalid_amount ({{ name }})'
                when not {{ pool_recon.matches_whole(name ~ '_text', pool_recon.balance_word_pattern()) }} then 'invalid_amount ({{ name }})'
            end
            {%- elif kind not in texts + ['state'] -%}
            case when {{ name }} is null and {{ name }}_text is not null then 'unknown_value ({{ name }})' end
            {%- endif -%}
{%- endset -%}
{%- do reasons.append(reason) if reason -%}
{%- endfor -%}
with source as (

    select * from {{ pool_recon.landed(export_name) }}
    {%- if pool_recon.this_build().is_incremental %}
    where _file_id > {{ pool_recon.this_build().last_file_id }}
    {%- endif %}

),

renamed as (

    select
        {%- for name, kind in columns %}
        {{ pool_recon.trimmed(name) if kind in texts + numbers + ['timestamp'] else pool_recon.lower_case(pool_recon.trimmed(name)) }} as {{ name }}_text,
        {{ name }} as {{ name }}_written,
        {%- endfor %}
        coalesce(_is_malformed, false) as is_malformed,
        coalesce(_has_secret, false) as has_secret,
        _original_text as malformed_text,
        cast(_file_id as integer) as file_id,
        cast(_row_number as bigint) as row_number,
        {{ pool_recon.row_order('_file_id', '_row_number') }} as row_order
    from source{{ pool_recon.computed_once() }}

),

typed as (

    select
        {%- for name, kind in columns %}
        {%- if kind in texts or kind == 'state' %}
        {{ name }}_text as {{ name }},
        {%- elif kind == 'timestamp' %}
        case when {{ pool_recon.matches_whole(name ~ '_text', pool_recon.timestamp_pattern()) }} then {{ pool_recon.utc_timestamp(name ~ '_text') }} end as {{ name }},
        {%- elif kind in ('amount', 'stated_balance', 'positive_amount') %}
        case when {{ pool_recon.matches_whole(name ~ '_text', pool_recon.amount_pattern()) }} then cast({{ name }}_text as {{ pool_recon.money_type() }}) end as {{ name }},
        {%- elif kind == 'whole_number' %}
        case when {{ pool_recon.matches_whole(name ~ '_text', pool_recon.whole_number_pattern()) }} then cast({{ name }}_text as decimal(20, 0)) end as {{ name }},
        {%- elif kind == 'flag' %}
        case
            when {{ name }}_text in {{ pool_recon.flag_words(true) }} then true
            when {{ name }}_text in {{ pool_recon.flag_words(false) }} then false
        end as {{ name }},
        {%- else %}
        case when {{ name }}_text in {{ pool_recon.vocabulary_words(kind) }} then {{ name }}_text end as {{ name }},
        {%- endif %}
        {%- if kind not in texts %}
        {{ name }}_text,
        {%- endif %}
        {{ name }}_written,
        {%- endfor %}
        is_malformed,
        has_secret,
        malformed_text,
        file_id,
        row_number,
        row_order
    from renamed{{ pool_recon.computed_once() }}

),

judged as (

    select
        *,
        -- the reasons are worded only where there is one
        case
            when
                is_malformed
                {%- for name, kind in columns %}
                {%- set text = name if kind in texts else name ~ '_text' %}
                {%- if name in required %}
                or {{ text }} is null
                {%- endif %}
                {%- if kind not in texts + ['state'] %}
                or ({{ name }} is null and {{ text }} is not null)
                {%- endif %}
                {%- if kind == 'positive_amount' %}
                or {{ name }} <= 0
                {%- endif %}
                {%- endfor %}
                then
            nullif({{ pool_recon.joined_texts('; ', reasons) }}, '')
        end as quarantine_reasons
    from typed{{ pool_recon.computed_once() }}

),

final as (

    select
        {%- for name, kind in columns %}
        {%- if name in defaults %}
        coalesce({{ name }}, '{{ defaults[name] }}') as {{ name }},
        {%- else %}
        {{ name }},
        {%- endif %}
        {%- endfor %}
        has_secret,
        quarantine_reasons,
        case
            when quarantine_reasons is not null then coalesce(malformed_text, {{ pool_recon.row_as_text(pool_recon.written_columns(columns)) }})
        end as original_text,
        file_id,
        row_number,
        row_order
    from judged

)

select * from final
{% endmacro %}


{#- The texts of a row as they have landed, by the name of each column. -#}
{% macro written_columns(columns) -%}
    {%- set names = [] -%}
    {%- for name, kind in columns -%}
        {%- do names.append((name, name ~ '_written')) -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}


{#- The words of a vocabulary, as a subquery of the reference data. -#}
{% macro vocabulary_words(vocabulary) -%}
    (select words.word from {{ ref('ref_vocabularies') }} as words where words.vocabulary = '{{ vocabulary }}')
{%- endmacro %}

{#- Those of a flag that mean the value. -#}
{% macro flag_words(value) -%}
    (select words.word from {{ ref('ref_vocabularies') }} as words where words.vocabulary = 'flag' and words.flag_value = {{ value }})
{%- endmacro %}


{#- The place of a row among all landed rows: files in load order, rows in file order. -#}
{% macro row_order(file_id, row_number) -%}
    cast({{ file_id }} as bigint) * 4294967296 + cast({{ row_number }} as bigint)
{%- endmacro %}
