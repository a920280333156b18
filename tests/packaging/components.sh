#!/usr/bin/env bash
# What find_package and PGQ_COMPONENTS look for, which targets they make, and what they say if something is missing. These
# projects are configured and not built.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install_pgq "$work/pgq"
mkdir "$work/source"
cp -r "$root/CMakeLists.txt" "$root/LICENSE" "$root/cmake" "$root/include" "$root/sql" "$work/source"

count=0
project() {  # CODE [CMAKE-ARGUMENT...]: configures a project of this code; its output goes to $said, in one line
    count=$((count + 1))
    local folder=$work/project$count status=0
    mkdir -p "$folder/sub"
    printf '%s\n' 'cmake_minimum_required(VERSION 3.25...4.1)' 'project(app LANGUAGES CXX)' \
        'macro(check)' 'if(NOT (${ARGN}))' 'message(SEND_ERROR "check: ${ARGN}")' 'endif()' 'endmacro()' \
        'file(WRITE empty.cpp "")' "$1" >"$folder/CMakeLists.txt"
    "$cmake" --no-warn-unused-cli -S "$folder" -B "$folder/build" "-DCMAKE_CXX_COMPILER=$cxx" "-DCMAKE_PREFIX_PATH=$work/pgq" "${@:2}" \
        >"$folder/log" 2>&1 </dev/null || status=$?
    said=$(tr -s ' \n' ' ' <"$folder/log")
    return $status
}
good() {
    project "$@" || fail "this must be configured: $1"$'\n'"$said"
    [[ $said != *Warning* ]] || fail "a warning: $said"
}
bad() {  # WORDS CODE [CMAKE-ARGUMENT...]
    if project "${@:2}"; then fail "this must not be configured: $2"; fi
    [[ $said == *"$1"* ]] || fail "instead of \"$1\", CMake says $said"
}

# Only what is asked for is looked for, and only its targets exist.
for component in '' $components; do
    if [ -n "$component" ] && ! has_library "$component"; then
        left_out "pgq::$component: this machine lacks its library"
        continue
    fi
    checks='check(TARGET pgq::pgq)'
    for other in $components; do
        not=NOT
        [[ $other != "$component" && $other-$component != @(libpq-asio|libpq-cli|json-cli) ]] || not=
        checks+=$'\n'"check($not TARGET pgq::$other)"
    done
    good "set(CMAKE_MODULE_PATH mine)
        find_package(pgq 0.1 REQUIRED COMPONENTS $component)
        $checks
        check(CMAKE_MODULE_PATH STREQUAL mine)
        check(EXISTS \${pgq_SQL_DIR}/0001_core.sql)" $(without "$component")
done

# What is missing has a sentence, with the name of the package.
sentence() {  # COMPONENT
    case $1 in
    libpq) echo 'libpq, not found: install it (Debian: libpq-dev)' ;;
    asio) echo 'standalone Asio, not found: install it (Debian: libasio-dev)' ;;
    json) echo 'Boost.JSON 1.81 or later, not found: install it (Debian: libboost-json1.81-dev)' ;;
    nlohmann) echo 'nlohmann/json 3.10 or later, not found: install it (Debian: nlohmann-json3-dev)' ;;
    sodium) echo 'libsodium, not found: install it (Debian: libsodium-dev)' ;;
    zstd) echo 'Zstandard, not found: install it (Debian: libzstd-dev)' ;;
    timezones) echo "Howard Hinnant's date, not found: install it (Debian: libhowardhinnant-date-dev)" ;;
    prometheus) echo 'prometheus-cpp, not found: install it (Debian: prometheus-cpp-dev)' ;;
    cli) echo 'CLI11 2.1 or later, not found: install it (Debian: libcli11-dev)' ;;
    testing) echo 'Catch2, not found: install it (Debian: catch2)' ;;
    esac
}
for component in $components; do
    bad "pgq::$component needs $(sentence "$component"), or add its folder to CMAKE_PREFIX_PATH." \
        "find_package(pgq REQUIRED COMPONENTS $component)" "-DCMAKE_DISABLE_FIND_PACKAGE_$(packages_of "$component" | sed 's/.* //')=ON"
done
bad 'pgq needs the headers of Boost 1.81 or later, not found' 'find_package(pgq REQUIRED)' -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON
bad 'pgq has no component "sqlite": it has libpq, asio, json, nlohmann, sodium, zstd, timezones, prometheus, cli, testing.' \
    'find_package(pgq REQUIRED COMPONENTS libpq sqlite)'
# All that is missing is said at once.
project 'find_package(pgq COMPONENTS zstd sqlite)
    check(NOT pgq_FOUND)
    check(NOT TARGET pgq::pgq)' -DCMAKE_DISABLE_FIND_PACKAGE_zstd=ON
[[ $said == *'needs Zstandard'*'no component "sqlite"'* ]] || fail "not all that is missing is said: $said"

good 'find_package(pgq COMPONENTS json OPTIONAL_COMPONENTS zstd sqlite libpq)
    check(pgq_FOUND AND pgq_json_FOUND AND pgq_libpq_FOUND AND TARGET pgq::libpq)
    check(NOT pgq_zstd_FOUND AND NOT TARGET pgq::zstd)
    check(NOT pgq_sqlite_FOUND)' -DCMAKE_DISABLE_FIND_PACKAGE_zstd=ON

# More components may be asked for later, in other folders too.
good 'find_package(pgq REQUIRED)
    find_package(pgq REQUIRED COMPONENTS asio)
    find_package(pgq REQUIRED COMPONENTS asio libpq sodium)
    file(WRITE sub/CMakeLists.txt "find_package(pgq REQUIRED COMPONENTS asio zstd)")
    add_subdirectory(sub)
    check(TARGET pgq::sodium AND NOT TARGET pgq::zstd)'

# Before 1.0 each minor version is another one. The architecture does not matter.
good "set(CMAKE_SIZEOF_VOID_P 4)
    find_package(pgq 0.1 REQUIRED)
    check(pgq_VERSION VERSION_EQUAL $version)
    set(pgq_DIR pgq_DIR-NOTFOUND)
    find_package(pgq 0.2 QUIET)
    check(NOT pgq_FOUND)
    find_package(pgq 1.0 QUIET)
    check(NOT pgq_FOUND)"

# The package of a library goes before its files, and a target of the project before both.
mkdir -p "$work/packages/lib/cmake/asio" "$work/packages/lib/cmake/zstd" "$work/packages/lib/cmake/unofficial-sodium" "$work/modules"
echo 'add_library(asio::asio INTERFACE IMPORTED)' >"$work/packages/lib/cmake/asio/asioConfig.cmake"
echo 'add_library(zstd::libzstd INTERFACE IMPORTED)' >"$work/packages/lib/cmake/zstd/zstdConfig.cmake"
echo 'add_library(unofficial-sodium::sodium INTERFACE IMPORTED)' \
    >"$work/packages/lib/cmake/unofficial-sodium/unofficial-sodiumConfig.cmake"
links='macro(check_link component target)
        get_target_property(link pgq::${component}_library INTERFACE_LINK_LIBRARIES)
        check(link STREQUAL ${target})
    endmacro()'
good "$links
    find_package(pgq REQUIRED COMPONENTS asio sodium zstd)
    check_link(asio asio::asio)
    check_link(sodium unofficial-sodium::sodium)
    check_link(zstd zstd::libzstd)" "-DCMAKE_PREFIX_PATH=$work/packages;$work/pgq"
good "$links
    add_library(asio::asio INTERFACE IMPORTED)
    add_library(zstd::libzstd INTERFACE IMPORTED)
    find_package(pgq REQUIRED COMPONENTS asio zstd)
    check_link(asio asio::asio)
    check_link(zstd zstd::libzstd)" "-DCMAKE_PREFIX_PATH=$work/packages;$work/pgq"
# A find module of the project works before and after pgq.
for name in asio zstd sodium; do
    echo "add_library($name::$name INTERFACE IMPORTED)
set(${name}_FOUND TRUE)" >"$work/modules/Find$name.cmake"
done
for order in 'pgq modules' 'modules pgq'; do
    code="list(APPEND CMAKE_MODULE_PATH \"$work/modules\")"
    for step in $order; do
        [ "$step" = pgq ] || code+='
            foreach(name IN ITEMS asio sodium zstd)
                find_package(${name} REQUIRED MODULE)
                check(TARGET ${name}::${name})
            endforeach()'
        [ "$step" = modules ] || code+=$'\nfind_package(pgq REQUIRED COMPONENTS asio sodium zstd)'
    done
    good "$code"
done

# The source tree in another project: PGQ_COMPONENTS are the components.
add="add_subdirectory(\"$work/source\" pgq)"
app='add_executable(app empty.cpp)
    target_link_libraries(app PRIVATE pgq::libpq)'
# shellcheck disable=SC2046
good "set(PGQ_COMPONENTS libpq)
    $add
    $app" $(without libpq)
# shellcheck disable=SC2046
good "$add
    add_executable(app empty.cpp)
    target_link_libraries(app PRIVATE pgq::pgq)" $(without)
good "find_package(PostgreSQL REQUIRED)
    $add
    $app"
bad 'pgq::libpq_needs_its_name_in_PGQ_COMPONENTS' "$add
    $app"
bad 'pgq::zstd needs Zstandard, not found: install it (Debian: libzstd-dev)' "set(PGQ_COMPONENTS json zstd)
    $add" -DCMAKE_DISABLE_FIND_PACKAGE_zstd=ON
bad 'pgq has no component "sqlite"' "set(PGQ_COMPONENTS sqlite)
    $add"
# A package that finds pgq by itself gets along with the source tree, which can be installed with the project.
good "set(PGQ_COMPONENTS asio)
    set(PGQ_INSTALL ON)
    $add
    find_package(pgq REQUIRED COMPONENTS libpq json)
    add_executable(app empty.cpp)
    target_link_libraries(app PRIVATE pgq::libpq pgq::asio)"

# PGQ_WITH_... say which components the programs of pgq itself use.
own_examples() {  # CMAKE-ARGUMENT...
    local status=0
    "$cmake" --no-warn-unused-cli -S "$root" -B "$work/own" "-DCMAKE_CXX_COMPILER=$cxx" -DPGQ_BUILD_TESTS=OFF \
        -DPGQ_BUILD_EXAMPLES=ON "$@" >"$work/own.log" 2>&1 </dev/null || status=$?
    said=$(tr -s ' \n' ' ' <"$work/own.log")
    return $status
}
if has_library libpq && has_library asio && has_library json; then
    own_examples -DPGQ_WITH_ZSTD=OFF -DPGQ_WITH_TIMEZONES=OFF || fail "the examples need Zstandard or date: $said"
    [[ $said == *'pgq::zstd are not built and not tested: PGQ_WITH_ZSTD is OFF'* ]] || fail "PGQ_WITH_ZSTD=OFF says $said"
    [[ $said == *'pgq::timezones are not built and not tested: PGQ_WITH_TIMEZONES is OFF'* ]] || fail "PGQ_WITH_TIMEZONES=OFF says $said"
    ! own_examples -DPGQ_WITH_ZSTD=ON -DCMAKE_DISABLE_FIND_PACKAGE_zstd=ON || fail "PGQ_WITH_ZSTD=ON does without Zstandard"
    [[ $said == *'pgq::zstd needs Zstandard, not found'* ]] || fail "PGQ_WITH_ZSTD=ON says $said"
else
    left_out 'PGQ_WITH_...: this machine lacks libpq, Asio or Boost.JSON'
fi
