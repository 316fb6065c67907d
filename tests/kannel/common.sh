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

. ../lab.sh
