#!/usr/bin/env bash
# quoted.sh ROOT PAGE...: checks that each C++ block of the pages is the text of a file, and each other block that has a
# comment which names its file:
#
#   <!-- examples/first.cpp -->         the whole file
#   <!-- part of examples/mail.hpp -->  consecutive lines of the file
set -euo pipefail
root=$1
bad=0
complain() {
    echo "$*" >&2
    bad=1
}

check_block() {  # PAGE SOURCE BLOCK
    local page=$1 source=$2 block=$3 text
    if [ -z "$source" ]; then
        complain "$page: a C++ block without a comment that names its file"
    elif ! text=$(cat "$root/${source#part of }" 2>/dev/null); then
        complain "$page: there is no ${source#part of }"
    elif [[ $source == 'part of '* ]]; then
        [[ $'\n'$text$'\n' == *$'\n'"$block"* ]] || complain "$page: a block is not part of ${source#part of }"
    elif [ "$block" != "$text"$'\n' ]; then
        complain "$page: a block differs from $source"
    fi
}

check_page() {
    local page=$1 line source='' block='' inside=no
    while IFS= read -r line; do
        case $inside,$line in
        no,'<!-- '*' -->')
            source=${line#<!-- }
            source=${source% -->}
            [[ ${source#part of } != *' '* ]] || source='' # a comment of another kind
            ;;
        no,'```cpp') inside=quoted block='' ;;
        no,'```'*)
            inside=other block=''
            [ -z "$source" ] || inside=quoted
            ;;
        quoted,'```')
            check_block "$page" "$source" "$block"
            inside=no source=''
            ;;
        other,'```') inside=no ;;
        quoted,*) block+=$line$'\n' ;;
        no,'') ;;
        no,*) source='' ;;
        esac
    done <"$page"
    [ $inside = no ] || complain "$page: a block without an end"
}

for page in "${@:2}"; do check_page "$page"; done
exit $bad
