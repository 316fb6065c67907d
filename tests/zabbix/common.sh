# What `up` and `down` share: where the lab lives, and how a process of it is recognised.
# Everything can be moved by the environment, so that two labs fit on one machine.
lab=${BONGSU_ZABBIX_DIR:-/tmp/bongsu-zabbix}
trapper_port=${BONGSU_ZABBIX_TRAPPER_PORT:-21051} # zabbix_sender → zabbix_server
api_port=${BONGSU_ZABBIX_API_PORT:-21080}         # the frontend and its JSON-RPC API
alerters=${BONGSU_ZABBIX_ALERTERS:-3}             # a stock server has 3: they set how many webhooks run at once

say() { printf 'zabbix lab: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# A pid file may outlive its process, and the number may be somebody else's by now:
# `running FILE MARK` holds only while the process's command line still carries MARK.
running() {
    local pid
    pid=$(head -n 1 "$1" 2>/dev/null) && [ -n "$pid" ] || return 1
    { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF -- "$2"
}

# `until_true SECONDS COMMAND…` asks ten times a second.
until_true() {
    local tries=$(($1 * 10))
    shift
    while ! "$@"; do
        [ "$tries" -gt 0 ] || return 1
        tries=$((tries - 1))
        sleep 0.1
    done
}
