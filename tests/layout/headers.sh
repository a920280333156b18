# Shared by the layout tests that compile headers; source it from bash, in the root of the project.
#
#   pgq_headers [FIND-ARGUMENT...]  print the headers that can be compiled here, as in an #include
#   pgq_clang                       the arguments of Clang

# A header whose library is missing is left out, as it is left out of the tests (cmake/pgq_dev.cmake).
_pgq_left_out='^$'
_pgq_without() {  # HEADER-OF-A-LIBRARY REGEX
    echo "#include <$1>" | g++ -x c++ -E - >/dev/null 2>&1 || _pgq_left_out="$_pgq_left_out|$2"
}
_pgq_without nlohmann/json.hpp 'serializer/(nlohmann|msgpack)'
_pgq_without sodium.h 'serializer/(encrypted|keys)'
_pgq_without zstd.h 'serializer/compressed'
_pgq_without date/tz.h 'timezones'
_pgq_without prometheus/collectable.h '(observer/(prometheus|database_metrics|metric_families)|cli/command/metrics)'
_pgq_without CLI/CLI.hpp 'cli(\.hpp|/.*)'
_pgq_without opentelemetry/context/context.h 'observer/opentelemetry'

pgq_headers() { (cd include && find pgq -name '*.hpp' "$@" | LC_ALL=C sort) | grep -vE "$_pgq_left_out"; }

# Asio before 1.24 looks for <experimental/coroutine> with Clang, as in cmake/pgq_dev.cmake.
pgq_clang=(-std=c++20 -Iinclude "-I$(pg_config --includedir)" -DUSE_OS_TZDB=1 -DASIO_HAS_CO_AWAIT=1
    -DASIO_HAS_STD_COROUTINE=1)
