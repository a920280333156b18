#!/usr/bin/env bash
# Programs of each component, and one of all components, use an installed pgq through find_package. Each file is compiled
# without the libraries of the other components.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install_pgq "$work/first"
mv "$work/first" "$work/moved"  # an installation can be moved

used=(core)
for component in $components; do
    if has_library "$component"; then used+=("$component"); else left_out "pgq::$component: this machine lacks its library"; fi
done
for component in "${used[@]}"; do
    hide "$work/hidden/$component" "$component"
done

# The lines of the pages.
cp -r "$packaging/projects/find_package" "$packaging/consumer" "$work"
cp "$root/examples/first.cpp" "$work/find_package/main.cpp"
configure page find_package "-DCMAKE_PREFIX_PATH=$work/moved"
build page
run_first "$work/page/app"

configure all consumer -DCONSUMER_WAY=find_package "-DCMAKE_PREFIX_PATH=$work/moved" "-DCONSUMER_HIDDEN=$work/hidden" \
    "-DCONSUMER_COMPONENTS=$(IFS=';' && echo "${used[*]}")"
build all
for component in "${used[@]}"; do
    run_program "$work/all/$component"
    # shellcheck disable=SC2046
    links_only "$work/all/$component" $(libraries_of "$component")
done
run_program "$work/all/together"
