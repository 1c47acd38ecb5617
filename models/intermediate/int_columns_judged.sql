-- Every column of a landed file whose name has a private word, with the first of them.
with file_columns as (

    select * from {{ pool_recon.landed('file_columns') }}

),

files as (

    select * from {{ pool_recon.landed('files') }}

),

private_words as (

    select
        word as private_word,
        '% ' || trim({{ pool_recon.words_of('word') }}) || ' %' as word_pattern,
        '% ' || trim({{ pool_recon.words_of('plural') }}) || ' %' as plural_pattern
    from {{ ref('ref_private_words') }}

),

close as (

    select * from {{ ref('int_close') }}

),

-- words are told apart by blanks, punctuation, capitals and digits: venueName, venue_name, Venue Name, venue2
worded as (

    select
        file_columns.file_id,
        file_columns.column_name,
        ' ' || trim({{ pool_recon.words_of('file_columns.column_name') }}) || ' ' as words
    from file_columns

),

private_columns as (

    select
        worded.file_id,
        worded.column_name,
        min(private_words.private_word) as private_word
    from worded
    inner join private_words
        on
            worded.words like private_words.word_pattern
            or worded.words like private_words.plural_pattern
    group by worded.file_id, worded.column_name

)

select
    files.row_name || ':' || private_columns.column_name as column_id,
    private_columns.column_name,
    private_columns.private_word,
    close.default_environment as environment,
    close.default_partner as partner_id
from private_columns
cross join close
inner join files on private_columns.file_id = files.file_id
