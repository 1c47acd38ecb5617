#!/bin/sh
# PostgreSQL for the tests, and Java where that is asked for (`install.sh java`), from Debian's packages, where they are not
# there yet. The tests start servers of their own.
set -eu
packages=
if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null 2>&1; then
    packages="$packages postgresql"
fi
if [ "${1:-}" = java ] && [ ! -x "${JAVA_HOME:-}/bin/java" ] && ! command -v java >/dev/null 2>&1; then
    packages="$packages openjdk-17-jre-headless"
fi
if [ -z "$packages" ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ]; then
    echo "missing here:$packages; install them and run this again" >&2
    exit 1
fi
echo "installing$packages"
apt-get update -qq
# shellcheck disable=SC2086 # several words
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
