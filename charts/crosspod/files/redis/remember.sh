#!/bin/sh
# Stores on the volume which master this pod's Sentinel knows. Sentinel calls this after each failover.
# shellcheck source=lib.sh
. "$CONFIG_DIR/lib.sh"

known=$(knowledge_of "$ME")
known=${known% *}
if [ "${known#* }" != none ]; then remember "${known% *}" "${known#* }"; fi
