#!/usr/bin/env bash
# Replaces the members of a mesh one by one, from the program of an older commit to that of this
# tree and back, under load: no Get may fail, and nothing may be lost or old.
# Usage: scripts/upgrade-test.sh [COMMIT [FLAG...]]; the parent by default. All members have the flags, --replicas 1 by default:
# defaults of the program may differ between commits, and members must agree. Without a history nothing is tested.
set -euo pipefail
cd "$(dirname "$0")/.."

old=${1:-HEAD~1}
flags=${*:2}
if ! git rev-parse --quiet --verify "$old^{commit}" >/dev/null 2>&1; then
	echo "there is no commit $old here: no upgrade is tested"
	exit 0
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
git archive "$old" | tar -x -C "$dir"
(cd "$dir" && go build -buildvcs=false -trimpath -o "$dir/cachemesh-old" ./cmd/cachemesh)
echo "from $(git log -1 --format='%h %s' "$old") to this tree"
cd cmd/cachemesh
CACHEMESH_OLD_PROGRAM=$dir/cachemesh-old CACHEMESH_FLAGS=${flags:---replicas 1} go test -count=1 -run '^TestRollingUpgrade$' -v .
