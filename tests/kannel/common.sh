# What `up` and `down` share: where the lab lives, and how a process of it is recognised.
# Everything can be moved by the environment, so that two labs fit on one machine.
lab=${BONGSU_KANNEL_DIR:-/tmp/bongsu-kannel}
admin_port=${BONGSU_KANNEL_ADMIN_PORT:-22600}
box_port=${BONGSU_KANNEL_BOX_PORT:-22601}         # smsbox → bearerbox
fake_port=${BONGSU_KANNEL_FAKE_PORT:-22602}       # fakesmsc → bearerbox
sendsms_port=${BONGSU_KANNEL_SENDSMS_PORT:-22603} # Bongsu → smsbox
refusing_port=${BONGSU_KANNEL_REFUSING_PORT:-22604} # bearerbox → the network of the tests that takes nothing

say() { printf 'kannel lab: %s\n' "$*" >&2; }
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
