#!/usr/bin/env bash
# What the action runs. Its inputs come as variables, never as text of a command.
set -euo pipefail

# The lines of a text that are not empty.
lines() {
  local line
  while IFS= read -r line; do
    if [ -n "$line" ]; then printf '%s\0' "$line"; fi
  done <<< "$1"
}

# The commit to compare with, fetched where the checkout did not bring it; nothing to check everything.
base() {
  case "${STACKLINT_SINCE:-auto}" in
    none) return ;;
    auto) ;;
    *)
      echo "$STACKLINT_SINCE"
      return
      ;;
  esac
  if [ -n "${STACKLINT_MERGE_GROUP_BASE:-}" ]; then
    git cat-file -e "$STACKLINT_MERGE_GROUP_BASE^{commit}" 2> /dev/null ||
      git fetch --quiet --no-tags --depth=1 origin "$STACKLINT_MERGE_GROUP_BASE" >&2
    echo "$STACKLINT_MERGE_GROUP_BASE"
    return
  fi
  [ -n "${GITHUB_BASE_REF:-}" ] || return 0
  local shallow
  shallow=$(git rev-parse --is-shallow-repository)
  if [ "${GITHUB_EVENT_NAME:-}" = pull_request ] && [ "$(git rev-parse HEAD)" = "${GITHUB_SHA:-}" ]; then
    # The trial merge of a pull request: its first parent is what it would go into.
    if [ "$shallow" = true ]; then git fetch --quiet --no-tags --depth=2 origin "$GITHUB_SHA" >&2; fi
    if git rev-parse --verify --quiet 'HEAD^2' > /dev/null; then
      git rev-parse 'HEAD^1'
      return
    fi
  fi
  # Both sides of a shallow clone are deepened, so that the commit is here which they have in common.
  local deeper=()
  if [ "$shallow" = true ]; then deeper=(--depth=100 origin "$(git rev-parse HEAD)"); else deeper=(origin); fi
  git fetch --quiet --no-tags "${deeper[@]}" \
    "+refs/heads/$GITHUB_BASE_REF:refs/remotes/origin/$GITHUB_BASE_REF" >&2
  echo "origin/$GITHUB_BASE_REF"
}

arguments=()
while IFS= read -r -d '' line; do arguments+=("$line"); done < <(lines "${STACKLINT_ARGUMENTS:-}")
case "${STACKLINT_FAIL_ON:-}" in
  '' | never) ;;
  *) arguments+=("--fail-on=$STACKLINT_FAIL_ON") ;;
esac
paths=()
while IFS= read -r -d '' line; do paths+=("$line"); done < <(lines "${STACKLINT_PATHS:-.}")
since=$(base)
change=()
if [ -n "$since" ]; then change=("--since=$since"); fi

check() {
  stacklint check ${arguments[@]+"${arguments[@]}"} "$@" -- "${paths[@]}"
}

format=pretty
if [ "${STACKLINT_ANNOTATIONS:-true}" = true ]; then format=github; fi
code=0
check --format "$format" ${change[@]+"${change[@]}"} || code=$?
if [ "$code" -eq 2 ]; then
  echo "::error title=stacklint::The run was called off; the log says why"
  echo "exit-code=2" >> "$GITHUB_OUTPUT"
  exit 2
fi
# What is to be said on standard error was said with the first run.
if [ "${STACKLINT_SUMMARY:-true}" = true ] && [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
  check --format markdown ${change[@]+"${change[@]}"} 2> /dev/null >> "$GITHUB_STEP_SUMMARY" || true
fi
# Code scanning compares uploads by itself, so it gets everything there is.
sarif="${RUNNER_TEMP:-/tmp}/stacklint.sarif"
check --format sarif --output "$sarif" --category "${STACKLINT_CATEGORY:-stacklint}" 2> /dev/null || true
if [ "${STACKLINT_FAIL_ON:-}" = never ] && [ "$code" -eq 1 ]; then code=0; fi
{
  echo "exit-code=$code"
  echo "sarif-file=$sarif"
} >> "$GITHUB_OUTPUT"
