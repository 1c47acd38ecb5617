"""`python -m pool_recon` is the command `pool-recon`."""

from pool_recon.cli import main

main()
