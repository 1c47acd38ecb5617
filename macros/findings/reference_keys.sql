{#-
    The columns of reference data that are compared with what the exports write: (seed, column, whether in small letters). The
    exports come without blanks around them; a key with one would be equal to none of them, and what is said of it would count
    for nothing.
-#}
{% macro reference_keys() -%}
    {{ return([
        ('ref_assets', 'asset', false),
        ('ref_entry_classes', 'entry_class', false),
        ('ref_entry_types', 'entry_type', true),
        ('ref_findings', 'code', true),
        ('ref_private_words', 'word', true),
        ('ref_product_states', 'product_state', true),
        ('ref_trade_states', 'status', true),
        ('ref_trade_transitions', 'from_status', true),
        ('ref_trade_transitions', 'to_status', true),
        ('ref_vocabularies', 'vocabulary', true),
        ('ref_vocabularies', 'word', true),
    ]) }}
{%- endmacro %}
