#!/bin/sh
# PostgreSQL for the tests, from Debian's package, where it is not there yet. The tests start a server of their own.
set -eu
if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1; then
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ]; then
    echo "PostgreSQL is not installed: install the package postgresql and run this again" >&2
    exit 1
fi
echo "installing PostgreSQL"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null
