{#- Spark would plan it anew for each of its readers. -#}
{{ config(materialized='table' if target.type == 'spark' else 'view') }}
-- What must hold of the warehouse whatever the exports say; a row here is a defect of the project, not of the data.
with breaches as (

    select
        'movement is not unique' as invariant,
        movement_type || ' ' || movement_id as subject
    from {{ ref('int_movements') }}
    group by movement_type, movement_id
    having count(*) > 1
    union all
    select
        'movement has no key, environment, partner or state' as invariant,
        coalesce(movement_type, '') || ' ' || coalesce(movement_id, '') as subject
    from {{ ref('fct_reconciliation') }}
    where
        movement_id is null
        or environment is null
        or partner_id is null
        or reconciliation_state is null
    union all
    select
        'exception is not unique' as invariant,
        min(code) || ' ' || min(subject_id) as subject
    from {{ ref('fct_exceptions') }}
    group by exception_id
    having count(*) > 1
    union all
    select
        'row of a mart is not unique' as invariant,
        summed.subject
    from (
        select 'fct_balances ' || environment || ':' || partner_id || ':' || asset as subject from {{ ref('fct_balances') }}
        union all
        select 'fct_conservation ' || export_name as subject from {{ ref('fct_conservation') }}
        union all
        select 'close_checklist ' || rule_name as subject from {{ ref('close_checklist') }}
    ) as summed
    group by summed.subject
    having count(*) > 1
    union all
    select
        'finding was raised but is no exception' as invariant,
        findings.code || ' ' || findings.subject_id as subject
    from {{ ref('findings_raised') }} as findings
    left join {{ ref('fct_exceptions') }} as exceptions on findings.exception_id = exceptions.exception_id
    where
        exceptions.exception_id is null
        or exceptions.environment is null
        or exceptions.opened_on is null
    union all
    select
        'several rows of the exception register are about one finding' as invariant,
        min(findings.code) || ' ' || min(findings.subject_id) as subject
    from {{ ref('findings_raised') }} as findings
    inner join {{ ref('stg_exception_register') }} as register on {{ pool_recon.is_registered('findings', 'register') }}
    group by findings.exception_id
    having count(*) > 1
    union all
    select distinct
        'ref_findings: the code of a finding is missing' as invariant,
        findings.code as subject
    from {{ ref('findings_raised') }} as findings
    left join {{ ref('ref_findings') }} as codes on findings.code = codes.code
    where codes.code is null
    union all
    select
        'trade is not exactly one movement' as invariant,
        trades.transact_id as subject
    from {{ ref('int_trades_in_force') }} as trades
    left join {{ ref('int_movements') }} as movements
        on
            trades.transact_id = movements.movement_id
            and movements.movement_type = 'trade'
    where movements.movement_id is null
    union all
    select
        'landed row is not in staging' as invariant,
        landed.export_name || ' ' || landed.path as subject
    from {{ pool_recon.landed('files') }} as landed
    left join (
        {% for export_name in pool_recon.export_names() %}
        select
            file_id,
            count(*) as row_count
        from {{ ref('stg_' ~ export_name) }}
        group by file_id
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as staged on landed.file_id = staged.file_id
    where landed.row_count <> coalesce(staged.row_count, 0)
    union all
    select
        'file has landed since the warehouse was built' as invariant,
        landed.export_name || ' ' || landed.path as subject
    from {{ pool_recon.landed('files') }} as landed
    inner join {{ ref('int_close') }} as close on landed.file_id > close.last_file_id
    union all
    select
        'landed row is not in exactly one place' as invariant,
        export_name || ' ' || row_order as subject
    from {{ ref('int_rows_misplaced') }}
    union all
    select
        'rule of the checklist was not judged' as invariant,
        rules.rule_name as subject
    from {{ ref('ref_checklist_rules') }} as rules
    left join {{ ref('close_checklist') }} as verdicts
        on
            rules.rule_name = verdicts.rule_name
            and verdicts.is_judged
    where verdicts.rule_name is null
    union all
    select
        'ref_findings: a code needs a severity, an owner, a first action and days to review' as invariant,
        code as subject
    from {{ ref('ref_findings') }}
    where
        coalesce(severity not in ('blocking', 'warning'), true)
        or owner is null
        or first_action is null
        or coalesce(days_to_review < 0, true)
    union all
    select
        'default_environment is not in ref_vocabularies' as invariant,
        close.default_environment as subject
    from {{ ref('int_close') }} as close
    left join {{ ref('ref_vocabularies') }} as known
        on
            known.vocabulary = 'environment'
            and close.default_environment = known.word
    where known.word is null
    union all
    select
        'ref_findings: the rule is not in ref_checklist_rules' as invariant,
        codes.code as subject
    from {{ ref('ref_findings') }} as codes
    left join {{ ref('ref_checklist_rules') }} as rules on codes.rule_name = rules.rule_name
    where
        codes.rule_name is not null
        and rules.rule_name is null
    union all
    select
        'ref_entry_types: the class is not in ref_entry_classes' as invariant,
        types.entry_type as subject
    from {{ ref('ref_entry_types') }} as types
    left join {{ ref('ref_entry_classes') }} as classes on types.entry_class = classes.entry_class
    where classes.entry_class is null
    union all
    select
        'ref_entry_classes: a class needs a sign (+, - or either), every flag and, if it touches the balance, a column of fct_balances' as invariant,
        entry_class as subject
    from {{ ref('ref_entry_classes') }}
    where
        coalesce(balance_sign not in ('+', '-', 'either'), true)
        or (touches_balance and coalesce(balance_column not in ('{{ pool_recon.moved_columns() | join("', '") }}'), true))
        or touches_balance is null
        or needs_trade is null
        or counts_in_source_net is null
        or restores_debit is null
    union all
    select
        'ref_trade_states: a state needs every flag and what its nets are to be' as invariant,
        status as subject
    from {{ ref('ref_trade_states') }}
    where
        is_terminal is null
        or requires_ledger_entry is null
        or coalesce(ledger_source_demand not in ('zero', 'minus_source', 'zero_or_minus_source'), true)
        or coalesce(ledger_target_demand not in ('zero', 'target'), true)
    union all
    select
        'ref_product_states: the class is none of pending, success, failed, returned, abandoned' as invariant,
        product_state as subject
    from {{ ref('ref_product_states') }}
    where coalesce(state_class not in ('pending', 'success', 'failed', 'returned', 'abandoned'), true)
    union all
    select
        'ref_assets: the minor unit is not between 0 and 18' as invariant,
        asset as subject
    from {{ ref('ref_assets') }}
    where coalesce(minor_unit not between 0 and 18, true)
    union all
    select
        'reference data gives one key twice' as invariant,
        subjects.subject
    from (
        select 'ref_entry_types ' || entry_type as subject from {{ ref('ref_entry_types') }}
        union all
        select 'ref_entry_classes ' || entry_class as subject from {{ ref('ref_entry_classes') }}
        union all
        select 'ref_product_states ' || product_state as subject from {{ ref('ref_product_states') }}
        union all
        select 'ref_assets ' || asset as subject from {{ ref('ref_assets') }}
        union all
        select 'ref_findings ' || code as subject from {{ ref('ref_findings') }}
        union all
        select 'ref_checklist_rules ' || rule_name as subject from {{ ref('ref_checklist_rules') }}
        union all
        select 'ref_trade_states ' || status as subject from {{ ref('ref_trade_states') }}
        union all
        select 'ref_exports ' || export_name as subject from {{ ref('ref_exports') }}
        union all
        select 'ref_vocabularies ' || vocabulary || ' ' || word as subject from {{ ref('ref_vocabularies') }}
    ) as subjects
    group by subjects.subject
    having count(*) > 1
    union all
    {%- for seed, column, is_folded in pool_recon.reference_keys() %}
    select
        'reference data: a key is to be given without blanks around it{{ ', in small letters' if is_folded }}' as invariant,
        '{{ seed }}.{{ column }} "' || coalesce({{ column }}, '') || '"' as subject
    from {{ ref(seed) }}
    where ({{ column }} = {{ pool_recon.lower_case(pool_recon.single_blanks(column)) if is_folded else pool_recon.single_blanks(column) }}) is not true
    union all
    {%- endfor %}
    select
        'blocking code belongs to no rule of the checklist' as invariant,
        codes.code as subject
    from {{ ref('ref_findings') }} as codes
    left join {{ ref('ref_checklist_rules') }} as rules on codes.rule_name = rules.rule_name
    where
        codes.severity = 'blocking'
        and rules.rule_name is null

)

select
    invariant,
    subject
from breaches
