"""The command `pool-recon`, also as `python -m pool_recon`."""

import sys


def main() -> None:
    """Run the command line. What cannot be imported exits with 2, for 1 is a blocked close."""
    try:
        from pool_recon.cli import main as run
    except ImportError as error:
        print(f"error: pool-recon cannot start: {error}; install it anew", file=sys.stderr)
        raise SystemExit(2) from None
    run()


if __name__ == "__main__":
    main()
