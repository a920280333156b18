#!/usr/bin/env bash
# Projects use the source tree of pgq through add_subdirectory and, from an archive, through FetchContent. The pages show
# the projects of projects/; a program of one component is compiled without the libraries of the others.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir "$work/pgq-0.1.0"
cp -r "$root/CMakeLists.txt" "$root/LICENSE" "$root/cmake" "$root/include" "$root/sql" "$work/pgq-0.1.0"
tar -C "$work" -czf "$work/pgq-0.1.0.tar.gz" pgq-0.1.0

cp -r "$packaging/projects/add_subdirectory" "$packaging/projects/fetch_content" "$packaging/consumer" "$work"
cp -r "$work/pgq-0.1.0" "$work/add_subdirectory/pgq"
cp "$work/pgq-0.1.0.tar.gz" "$work/fetch_content"
for way in add_subdirectory fetch_content; do
    cp "$root/examples/first.cpp" "$work/$way/main.cpp"
    configure "$way-built" "$way"
    build "$way-built"
    run_first "$work/$way-built/app"
done

hide "$work/hidden/json" json
hide "$work/hidden/core"
# shellcheck disable=SC2046
configure json consumer -DCONSUMER_WAY=add_subdirectory "-DCONSUMER_SOURCE=$work/pgq-0.1.0" -DCONSUMER_COMPONENTS=json \
    "-DCONSUMER_HIDDEN=$work/hidden" $(without json)
# shellcheck disable=SC2046
configure core consumer -DCONSUMER_WAY=fetch_content "-DCONSUMER_SOURCE=$work/pgq-0.1.0.tar.gz" -DCONSUMER_COMPONENTS=core \
    "-DCONSUMER_HIDDEN=$work/hidden" $(without)
for component in json core; do
    build $component
    run_program "$work/$component/$component"
    # shellcheck disable=SC2046
    links_only "$work/$component/$component" $(libraries_of $component)
done
