#!/bin/sh
# Writes to the volume whom this pod's Sentinel takes for the master. Sentinel calls it after each failover.
# shellcheck source=lib.sh
. "$CONFIG_DIR/lib.sh"

known=$(knowledge_of "$ME")
known=${known% *}
if [ "${known#* }" != none ]; then remember "${known% *}" "${known#* }"; fi
