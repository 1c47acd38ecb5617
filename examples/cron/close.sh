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

# What is wrong before the close begins is no blocked close either.
could_not_run() {
  echo "close.sh: $1" >&2
  exit 2
}
[[ -n "${POOL_RECON_EXPORTS:-}" ]] || could_not_run "POOL_RECON_EXPORTS is not set: name the folder with the raw exports"
[[ -n "${POOL_RECON_OUT:-}" ]] || could_not_run "POOL_RECON_OUT is not set: name the folder for packages"
command -v pool-recon > /dev/null || could_not_run "pool-recon was not found: put it on PATH"
zone="${POOL_RECON_TIME_ZONE:-UTC}"
# Noon, because a day may begin an hour early or late where clocks change.
close_date="${1:-$(TZ="$zone" date -d 'yesterday 12:00' +%F)}" || could_not_run "date cannot tell yesterday: give the date"

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
