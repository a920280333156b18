#!/usr/bin/env bash
# tests/mutate.sh [--sample N [--seed TEXT]] [--keep] [WORD...]: makes the library wrong in many ways, one at a time, and
# runs for each the test that must fail. With words only the mutations whose names contain one of them.
#
#   --sample N   N of them, chosen by the seed: today's date if none is given
#   --keep       builds nothing: the programs of the last run
#
# The mutations are in tests/mutations/*.txt; apply.awk says in which form. All are compiled into one build, each behind
# a switch. Each runs with a database of its own. The end says which ones no test noticed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/scripts/pg.sh

sample='' seed=$(date +%F) keep=no words=()
while [ $# -gt 0 ]; do
    case $1 in
    --sample) sample=$2 && shift ;;
    --seed) seed=$2 && shift ;;
    --keep) keep=yes ;;
    -*)
        sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 2
        ;;
    *) words+=("$1") ;;
    esac
    shift
done

jobs=${PGQ_JOBS:-$(nproc)}
root=$PWD
tree=build/mutation/tree
table=build/mutation/table
programs='unit laws integration simulation'

# The sources with mutated headers. Files that have not changed keep their time, so only what has changed is compiled.
make_tree() {
    local new=build/mutation/new file
    rm -rf "$new" && mkdir -p "$new" "$tree"
    tar -c --exclude=./build --exclude=./.git . | tar -x -C "$new"
    awk -v root="$root" -v out="$new" -f tests/mutations/apply.awk tests/mutations/*.txt >"$table"
    mv "$new/in_sql.inc" "$new/tests/mutations/"
    (cd "$new" && find . -type f) | while IFS= read -r file; do
        cmp -s "$new/$file" "$tree/$file" && continue
        mkdir -p "$tree/$(dirname "$file")"
        cp -p "$new/$file" "$tree/$file" && touch "$tree/$file"
    done
    (cd "$tree" && find . -type f -not -path './build/*') | while IFS= read -r file; do
        [ -e "$new/$file" ] || rm "$tree/$file"
    done
    rm -rf "$new"
}

build() {
    local targets=()
    for p in $programs; do targets+=("test_$p"); done
    cd "$tree"
    # What a mutation leaves unused, or makes always true, is no reason to stop.
    cmake --preset clang \
        -DCMAKE_CXX_FLAGS="-include $PWD/tests/mutations/mutation.hpp -isystem $(pg_config --includedir) -w" >build.configure.log 2>&1 || {
        cat build.configure.log
        return 1
    }
    pgq_run cmake --build --preset clang -j "$jobs" --target "${targets[@]}"
    cd "$root"
}

# run NUMBER PROGRAM TEST SECTIONS: runs a test with a mutation, or with none (0). Prints passed, failed, stopped (it took too
# long) or unreached.
run() {
    local number=$1 program=$2 test=$3 database reached status=0 arguments=() section
    database=pgq_mutation_$BASHPID
    reached=$scratch/reached.$BASHPID
    rm -f "$reached"
    # Catch reads these characters as a pattern.
    test=$(sed 's/[][\\,"]/\\&/g' <<<"$test")
    while IFS= read -r section; do [ -z "$section" ] || arguments+=(-c "$section"); done <<<"${4//$'\t'/$'\n'}"
    psql -qX -d "$PGQ_DSN" -c "CREATE DATABASE $database TEMPLATE template0" >/dev/null
    PGQ_DSN="$PGQ_DSN dbname=$database" PGQ_MUTATION=$number PGQ_MUTATION_REACHED=$reached timeout -k 5 180 \
        "$tree/build/clang/tests/test_$program" "$test" "${arguments[@]}" --warn NoTests >"$scratch/$number.$BASHPID.log" 2>&1 || status=$?
    psql -qX -d "$PGQ_DSN" -c "DROP DATABASE $database WITH (FORCE)" >/dev/null
    if [ "$number" != 0 ] && [ ! -e "$reached" ]; then echo unreached
    elif [ $status = 0 ]; then echo passed
    elif [ $status = 124 ] || [ $status = 137 ]; then echo stopped
    else echo failed; fi
}

# A line of the table that was chosen: prints what became of it.
judge() {
    local number program test sections survives name what
    IFS=$'\037' read -r number program test sections survives name <<<"$1"
    if [ -n "$survives" ]; then
        printf 'argued\037%s\037%s\n' "$name" "$survives"
        return
    fi
    what=$(run "$number" "$program" "$test" "$sections")
    case $what in
    failed | stopped) printf 'killed\037%s\037\n' "$name" ;;
    passed) printf 'SURVIVED\037%s\037%s: %s\n' "$name" "$program" "$test" ;;
    *) printf 'UNREACHED\037%s\037%s: %s\n' "$name" "$program" "$test" ;;
    esac
}

# A test without a mutation: says so if it fails.
check_alone() {
    local program test sections
    IFS=$'\037' read -r program test sections <<<"$1"
    [ "$(run 0 "$program" "$test" "$sections")" = passed ] || printf '%s\037%s\037%s\n' "$program" "$test" "$sections"
}

chosen() {
    local pattern
    if [ ${#words[@]} -gt 0 ]; then
        pattern=$(printf '%s\n' "${words[@]}")
        grep -F -- "$pattern" "$table" || true
    elif [ -n "$sample" ]; then
        awk -v seed="$seed" 'BEGIN { for (i = 1; i <= length(seed); ++i) h = (h * 31 + index("0123456789-", substr(seed, i, 1))) % 65521; srand(h) }
            { print rand() "\t" $0 }' "$table" | sort -n | sed -n "1,${sample}p" | cut -f 2-
    else
        cat "$table"
    fi
}

main() {
    pgq_on_exit
    pgq_need cmake ninja-build ccache g++ libpq-dev libasio-dev 'libboost1.81-dev|libboost1.83-dev|libboost1.88-dev' \
        'libboost-json1.81-dev|libboost-json1.83-dev|libboost-json1.88-dev' nlohmann-json3-dev \
        libsodium-dev libzstd-dev libhowardhinnant-date-dev prometheus-cpp-dev libcli11-dev catch2 'pkg-config|pkgconf' tzdata postgresql clang
    scratch=$(mktemp -d)
    mkdir -p build/mutation
    if [ $keep = no ]; then
        make_tree
        build
    fi
    pgq_start_postgres

    chosen >"$scratch/chosen"
    [ -s "$scratch/chosen" ] || {
        echo "no mutation has such a name" >&2
        exit 1
    }
    export -f run judge check_alone
    export scratch tree PGQ_DSN
    # Without a mutation each of the tests passes.
    awk -F '\037' '$5 == "" && !seen[$2, $3, $4]++ { print $2 "\037" $3 "\037" $4 }' "$scratch/chosen" >"$scratch/tests"
    xargs -a "$scratch/tests" -d '\n' -P $((2 * jobs)) -n 1 bash -c 'check_alone "$1"' - >"$scratch/wrong"
    awk -F '\037' 'FILENAME == ARGV[1] { wrong[$0] = 1; next } !(($2 FS $3 FS $4) in wrong)' "$scratch/wrong" "$scratch/chosen" >"$scratch/judged"
    sed 's/^/fails without a mutation: /' "$scratch/wrong" | tr '\037' '\t'
    xargs -a "$scratch/judged" -d '\n' -P $((2 * jobs)) -n 1 bash -c 'judge "$1"' - | tee "$scratch/results" | grep --line-buffered -v '^killed' | tr '\037' '\t' || true
    local total killed argued
    total=$(wc -l <"$scratch/chosen")
    killed=$(grep -c '^killed' "$scratch/results" || true)
    argued=$(grep -c '^argued' "$scratch/results" || true)
    echo "$total mutations: $killed killed, $argued survive with a reason, $((total - killed - argued)) unnoticed"
    rm -rf "$scratch"
    [ $((killed + argued)) = "$total" ]
}

main
