#!/usr/bin/env bash
# What does it cost to compile a program? bench/compile_time.sh [ROUNDS] compiles the first program of the README, a
# program that only enqueues, and a queue of 50 entrypoints with its worker. It uses GCC and Clang, without and with
# optimization. It prints the median of the CPU seconds and the peak memory.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
rounds=${1:-3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

{
    echo '#include <pgq/driver/libpq.hpp>'
    echo '#include <pgq/pgq.hpp>'
    echo '#include <pgq/serializer/json.hpp>'
    for i in $(seq 50); do
        echo "struct job_$i { static constexpr std::string_view entrypoint = \"job_$i\"; std::string name{}; std::int64_t n = 0; };"
        echo "BOOST_HANA_ADAPT_STRUCT(job_$i, name, n);"
    done
    echo "using app_queue = pgq::queue<$(seq -f 'job_%.0f' -s ', ' 50), pgq::driver::libpq, pgq::serializer::json>;"
    echo 'int main() {'
    echo '    app_queue jobs{pgq::driver::libpq{""}};'
    for i in $(seq 50); do echo "    jobs.enqueue(job_$i{}).value();"; done
    echo "    pgq::worker w{jobs$(seq -f ', [](const job_%.0f&) {}' -s '' 50)};"
    echo '    w.run().value();'
    echo '}'
} >"$folder/fifty.cpp"

# The median of the first column and the maximum of the second.
median() { sort -n | awk '{cpu[NR] = $1; if ($2 > most) most = $2} END {printf "%7.1f s %6.0f MB", cpu[int((NR + 1) / 2)], most / 1024}'; }

measure() {  # NAME FILE
    local compiler flags round
    for compiler in g++ clang++; do
        command -v $compiler >/dev/null || { echo "$compiler: not installed, left out"; continue; }
        for flags in -O0 -O2; do
            printf '%-28s %-8s %s ' "$1" "$compiler" "$flags"
            for round in $(seq "$rounds"); do
                python3 - "$compiler" -std=c++20 $flags -Iinclude -I/usr/include/postgresql -c "$2" -o "$folder/out.o" <<'PYTHON'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
PYTHON
            done | median
            echo
        done
    done
}

measure 'first program' examples/first.cpp
measure 'producer' examples/producer.cpp
measure 'queue of 50 entrypoints' "$folder/fifty.cpp"
