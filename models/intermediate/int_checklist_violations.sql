-- What broke the close checklist when this was built, one row per rule and place.
{{ pool_recon.all_violations() }}
