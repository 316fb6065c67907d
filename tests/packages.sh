# For scripts that need Debian packages; they bring `say` and `die`.

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
