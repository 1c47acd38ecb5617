#!/usr/bin/env bash
# Closes the business date that ended last, or the one that is given: close.sh [YYYY-MM-DD]
# For cron and systemd. Needs GNU date. Settings come from the environment:
#   POOL_RECON_EXPORTS   folder with the raw exports (required)
#   POOL_RECON_OUT       folder for packages and the warehouse (required)
#   POOL_RECON_REGISTER  exception register, where there is one
#   POOL_RECON_TIME_ZONE business time zone (default UTC)
#   POOL_RECON_NOTIFY_URL or POOL_RECON_NOTIFY_COMMAND: who is told of a blocked or failed close
# Exit codes are those of the close: 0 every rule holds, 1 blocked, 2 could not run (try again).
set -euo pipefail

: "${POOL_RECON_EXPORTS:?name the folder with the raw exports}"
: "${POOL_RECON_OUT:?name the folder for packages}"
zone="${POOL_RECON_TIME_ZONE:-UTC}"
# Noon, because a day may begin an hour early or late where clocks change.
close_date="${1:-$(TZ="$zone" date -d 'yesterday 12:00' +%F)}"

register=()
if [[ -n "${POOL_RECON_REGISTER:-}" ]]; then
  register=(--register "$POOL_RECON_REGISTER")
fi

exec pool-recon close \
  --exports "$POOL_RECON_EXPORTS" \
  --close-date "$close_date" \
  --out "$POOL_RECON_OUT" \
  --time-zone "$zone" \
  --notify-on failure \
  "${register[@]}"
