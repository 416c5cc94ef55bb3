#!/usr/bin/env bash
# Programs of Debian that the tests run as judges, fault makers and servers: installed if absent.
set -euo pipefail
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
