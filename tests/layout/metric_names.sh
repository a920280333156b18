#!/usr/bin/env bash
# metric_names.sh ROOT: checks the metrics that docs/monitoring/ and docs/guides/monitoring.md name:
#
# - each is one that observer::prometheus or observer::database_metrics exposes; a histogram may end in _bucket, _sum
#   or _count;
# - the page names each that they expose;
# - the dashboard is valid JSON, and promtool, if it is there, accepts the rules.
set -euo pipefail
cd "$1"
bad=0
complain() {
    echo "$*" >&2
    bad=1
}
exposed=$(grep -ohE '"pgq_[a-z_]+"' include/pgq/observer/prometheus.hpp include/pgq/observer/database_metrics.hpp | tr -d '"' | sort -u)
[ "$(wc -l <<<"$exposed")" -gt 20 ] || complain "the headers name only these metrics: $exposed"

for page in docs/monitoring/alerts.yml docs/monitoring/dashboard.json docs/guides/monitoring.md; do
    names=$(grep -oE '\bpgq_[a-z_]+' "$page" | sort -u)
    [ -n "$names" ] || complain "$page names no metric"
    for name in $names; do
        base=$name
        grep -qx "$name" <<<"$exposed" || base=$(sed -E 's/_(bucket|sum|count)$//' <<<"$name")
        grep -qx "$base" <<<"$exposed" || complain "$page: nothing exposes $name"
    done
done
for name in $exposed; do
    grep -qw "$name" docs/guides/monitoring.md || complain "docs/guides/monitoring.md lacks $name"
done
if command -v python3 >/dev/null; then
    python3 -m json.tool docs/monitoring/dashboard.json >/dev/null || complain "docs/monitoring/dashboard.json is no JSON"
fi
if command -v promtool >/dev/null; then
    said=$(promtool check rules docs/monitoring/alerts.yml 2>&1) || complain "$said"
else
    echo "left out: promtool, which would check docs/monitoring/alerts.yml, is not installed"
fi
exit $bad
