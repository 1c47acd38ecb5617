-- Staged rows that did not go to exactly one place: there are none, or the project has a defect.
{{ pool_recon.rows_not_in_one_place(pool_recon.at_hand) }}
