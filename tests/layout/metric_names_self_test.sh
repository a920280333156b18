#!/usr/bin/env bash
# metric_names.sh must find each of these mistakes.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

mistake() {  # MESSAGE FILE SED-COMMAND
    rm -rf "$copy"/*
    mkdir -p "$copy/docs/guides" "$copy/include/pgq/observer"
    cp -r "$root/docs/monitoring" "$copy/docs"
    cp "$root/docs/guides/monitoring.md" "$copy/docs/guides"
    cp "$root"/include/pgq/observer/{prometheus,database_metrics}.hpp "$copy/include/pgq/observer"
    bash "$here/metric_names.sh" "$copy" >/dev/null || { echo "the copy is wrong already"; exit 1; }
    sed -i "$3" "$copy/$2"
    if said=$(bash "$here/metric_names.sh" "$copy" 2>&1); then echo "not found: $3 in $2"; exit 1; fi
    [[ $said == *"$1"* ]] || { echo "instead of \"$1\" it says: $said"; exit 1; }
}
mistake 'alerts.yml: nothing exposes pgq_jobs' docs/monitoring/alerts.yml 's/pgq_queue_jobs{/pgq_jobs{/'
mistake 'dashboard.json: nothing exposes pgq_attempt_seconds_bucket' docs/monitoring/dashboard.json 's/pgq_attempt_duration_seconds/pgq_attempt_seconds/'
mistake 'monitoring.md lacks pgq_new_total' include/pgq/observer/prometheus.hpp 's/"pgq_errors_total"/"pgq_new_total"/'
mistake 'dashboard.json is no JSON' docs/monitoring/dashboard.json '$d'
