# Shared by the client tests: where the server is, and a workspace of one's own. To be sourced by bash.
#
# A test sets `client` and sources this with its own arguments: `run [STACKLINT]`. After that
#   $repo       the repository
#   $scratch    an empty folder that goes away with the test
#   $workspace  a copy of testdata/shop with a configuration that holds the findings still while policies come and go
#   $cache      where clients that had to be fetched stay between runs (below target/, so never in git)
# and `stacklint` is on the PATH.

set -euo pipefail

say() { printf '%s: %s\n' "$client" "$*"; }
die() { say "$*" >&2; exit 1; }
# A client that is not here is no failure; exit code 77 says "skipped", as automake's tests do.
skip() { say "skipped: $*"; exit 77; }

here=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
server=${1:-$repo/target/release/stacklint}
[ -x "$server" ] || server=$(command -v "$server") || die "no stacklint at ${1:-$repo/target/release/stacklint}; build it, or give its path"
server=$(realpath "$server")

scratch=$(mktemp -d)
finish=(rm -rf "$scratch")
trap '"${finish[@]}"' EXIT

mkdir -p "$scratch/bin" "$scratch/home"
ln -s "$server" "$scratch/bin/stacklint"
export PATH="$scratch/bin:$PATH"
cache=$repo/target/editors
mkdir -p "$cache"

# Policies of the working copy, so that a test never judges by an older set than the one beside it.
export STACKLINT_POLICIES=$repo/policies

workspace=$scratch/shop
cp -r "$repo/testdata/shop" "$workspace"
# Clients take the folder with .git for the root.
mkdir "$workspace/.git"
cat > "$workspace/stacklint.toml" <<'TOML'
select = ["ssh-open-to-internet", "aws-s3-public-policy-allowed", "kubernetes-container-privilege-escalation"]
TOML
