# What `up` and `down` share: where the lab lives, and how a process of it is recognised.
# Everything can be moved by the environment, so that two labs fit on one machine.
lab=${BONGSU_ZABBIX_DIR:-/tmp/bongsu-zabbix}
trapper_port=${BONGSU_ZABBIX_TRAPPER_PORT:-21051} # zabbix_sender → zabbix_server
api_port=${BONGSU_ZABBIX_API_PORT:-21080}         # the frontend and its JSON-RPC API
alerters=${BONGSU_ZABBIX_ALERTERS:-3}             # a stock server has 3: they set how many webhooks run at once

say() { printf 'zabbix lab: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

. ../lab.sh
