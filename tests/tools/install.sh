#!/usr/bin/env bash
# install.sh CMAKE BUILD: cmake --install puts the command on the PATH, with its manual page and completions.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../examples/expect.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" --install "$2" --prefix "$work" >/dev/null

PATH=$work/bin:$PATH
expect "the program" "$(command -v pgq)" "$work/bin/pgq"
expect "the manual page" "$(cat "$work/share/man/man1/pgq.1")" "$(pgq man)"
expect "the completion of bash" "$(cat "$work/share/bash-completion/completions/pgq")" "$(pgq completion bash)"
expect "the completion of zsh" "$(cat "$work/share/zsh/site-functions/_pgq")" "$(pgq completion zsh)"
expect "the completion of fish" "$(cat "$work/share/fish/vendor_completions.d/pgq.fish")" "$(pgq completion fish)"
if pgq --help | grep -q '^  web '; then
    expect_like "the licence of the charts" "$(cat "$work/share/licenses/pgq/LICENSE.uPlot")" 'MIT'
fi
if command -v man >/dev/null; then
    expect_like "man pgq" "$(MANPATH=$work/share/man man -P cat pgq 2>&1)" 'pgq - Looks after the jobs'
else
    echo "left out: man is not installed"
fi
