# What the labs of real components share; they bring `say` and `die`.

# `install_packages LOG PACKAGE…` installs what is missing, and starts none of it.
install_packages() (
    log=$1
    shift
    missing=()
    for package; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
    done
    [ "${#missing[@]}" -gt 0 ] || exit 0
    say "installing ${missing[*]}"
    # Debian starts a service as soon as it is installed; this file tells it not to.
    guard=/usr/sbin/policy-rc.d
    if [ ! -e "$guard" ]; then
        trap 'rm -f "$guard"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$guard"
        chmod 755 "$guard"
    fi
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update && apt-get install -o DPkg::Lock::Timeout=600 -y --no-install-recommends "${missing[@]}"; } \
        >"$log" 2>&1 9>&- || { tail -n 20 "$log" >&2; die "apt-get could not install ${missing[*]}"; }
)

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
