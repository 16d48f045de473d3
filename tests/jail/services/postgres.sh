# Makes a cluster in the volume if there is none, and runs its server.
set -e
PATH=/usr/lib/postgresql/15/bin:$PATH
export PGDATA=/var/lib/postgresql/data
test -e $PGDATA/PG_VERSION || initdb --auth=trust >&2
exec postgres -k /run/postgresql -c listen_addresses=127.0.0.1
