# Shared by .ci/run and .ci/full: finds Pythons, runs steps, counts what passed. Sourced, not run.

set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

CI_PASSED=0
CI_FAILED=0
CI_FAILURES=()
CI_TMP="$(mktemp -d)"
trap 'rm -rf "$CI_TMP"' EXIT
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1

# One working interpreter for each minor version from 3.11 on, as "3.12 /path/to/python", oldest first.
find_pythons() {
    local candidate
    {
        for candidate in python3 python python3.11 python3.12 python3.13 python3.14 python3.15; do
            type -ap "$candidate" 2>/dev/null
        done
        ls -d "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python3 2>/dev/null
    } | while read -r candidate; do
        # A shim that leads nowhere, or a Python without venv, is no candidate.
        "$candidate" -c 'import ensurepip, ssl, sys, venv
if sys.version_info >= (3, 11): print("%d.%d" % sys.version_info[:2], sys.executable)' 2>/dev/null
    done | sort -t. -k2,2n -s | awk '!seen[$1]++'
}

# step NAME COMMAND...: runs a command, shows its output only when it fails, and counts it.
step() {
    local name="$1" log="$CI_TMP/log.$BASHPID" started=$SECONDS
    shift
    if "$@" >"$log" 2>&1; then
        CI_PASSED=$((CI_PASSED + 1))
        printf 'ok      %4ds  %s\n' $((SECONDS - started)) "$name"
    else
        CI_FAILED=$((CI_FAILED + 1))
        CI_FAILURES+=("$name")
        printf 'FAILED  %4ds  %s\n' $((SECONDS - started)) "$name"
        tail -n 200 "$log" | sed 's/^/    /'
        return 1
    fi
}

# debian PACKAGE...: installs what is missing, where that can be done; tests that need the rest say what is missing.
debian() {
    local package missing=()
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
    done
    [ "${#missing[@]}" -eq 0 ] && return
    if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
        echo "not root, or not Debian: install ${missing[*]} by hand"
        return 1
    fi
    # Their programs are wanted, not their services: a Prometheus or an nginx that starts by itself listens to everybody.
    local policy=/usr/sbin/policy-rc.d ours=false status
    if [ ! -e "$policy" ]; then
        ours=true
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
    fi
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
    status=$?
    if "$ours"; then rm -f "$policy"; fi
    return "$status"
}

# tests NAME COMMAND...: a pytest run; counts its tests rather than the run.
tests() {
    local name="$1" log="$CI_TMP/tests.$BASHPID" started=$SECONDS status line passed failed
    shift
    "$@" >"$log" 2>&1
    status=$?
    line="$(grep -E '(passed|failed|error)' "$log" | tail -n 1)"
    passed="$(grep -oE '[0-9]+ passed' <<<"$line" | grep -oE '[0-9]+')"
    failed="$(grep -oE '[0-9]+ (failed|errors?)' <<<"$line" | awk '{ sum += $1 } END { print sum + 0 }')"
    CI_PASSED=$((CI_PASSED + ${passed:-0}))
    CI_FAILED=$((CI_FAILED + ${failed:-0}))
    if [ "$status" -ne 0 ]; then
        [ "${failed:-0}" -eq 0 ] && CI_FAILED=$((CI_FAILED + 1))
        CI_FAILURES+=("$name")
        printf 'FAILED  %4ds  %s: %s\n' $((SECONDS - started)) "$name" "${line:-no result, exit status $status}"
        tail -n 400 "$log" | sed 's/^/    /'
        return 1
    fi
    printf 'ok      %4ds  %s: %s\n' $((SECONDS - started)) "$name" "$line"
}

# beside COMMAND...: runs steps in the background, beside others; "together" prints what they said and counts it.
beside() {
    (
        CI_PASSED=0 CI_FAILED=0 CI_FAILURES=()
        "$@"
        printf '%s\n' "$CI_PASSED" "$CI_FAILED" ${CI_FAILURES[@]+"${CI_FAILURES[@]}"} >"$CI_TMP/beside.counts"
    ) >"$CI_TMP/beside.out" 2>&1 &
}

together() {
    local counts
    wait
    cat "$CI_TMP/beside.out"
    mapfile -t counts <"$CI_TMP/beside.counts"
    CI_PASSED=$((CI_PASSED + counts[0]))
    CI_FAILED=$((CI_FAILED + counts[1]))
    CI_FAILURES+=("${counts[@]:2}")
}

# The last line says it all, in the words of pytest.
finish() {
    local failure
    for failure in ${CI_FAILURES[@]+"${CI_FAILURES[@]}"}; do
        echo "failed: $failure"
    done
    echo "$CI_PASSED passed, $CI_FAILED failed in ${SECONDS}s"
    [ "$CI_FAILED" -eq 0 ] && [ "$CI_PASSED" -gt 0 ]
}
