#!/usr/bin/env bash
# Programs use an installed pgq through pkg-config, without CMake.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if ! command -v pkg-config >/dev/null; then
    left_out "pkg-config: it is not installed"
    exit 77
fi

install_pgq "$work/first"
mv "$work/first" "$work/moved"
export PKG_CONFIG_PATH=$work/moved/lib/pkgconfig

for pc in "$PKG_CONFIG_PATH"/*.pc; do
    name=$(basename "$pc" .pc)
    [ "$(pkg-config --modversion "$name")" = "$version" ] || fail "$name.pc has another version than version.hpp"
    [ "$(pkg-config --variable=sqldir "$name")" = "$work/moved/lib/pkgconfig/../../share/pgq/sql" ] || fail "$name: sqldir"
done

# The lines of the pages.
mkdir "$work/app"
cp "$root/examples/first.cpp" "$work/app/main.cpp"
mkdir "$work/bin"
printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$launcher" "$(command -v "$cxx")" >"$work/bin/c++"  # by its path: the script must not call itself
chmod +x "$work/bin/c++"
(cd "$work/app" && PATH=$work/bin:$PATH && . "$packaging/projects/pkg_config.sh")
run_first "$work/app/app"

# Each component needs the .pc files of its own libraries only.
ours=$PKG_CONFIG_PATH
export -n PKG_CONFIG_PATH
system=$(pkg-config --variable=pc_path pkg-config)
for component in $components; do
    only=$work/only-$component
    mkdir "$only"
    package=$(pc_of "$component")
    if [ -n "$package" ]; then
        reason=$(PKG_CONFIG_LIBDIR=$ours pkg-config --libs "pgq-$component" 2>&1) && fail "pgq-$component works without $package"
        [[ $reason == *"$package"* ]] || fail "without $package, pkg-config says only: $reason"
        IFS=: read -ra folders <<<"$system"
        file=$({ find "${folders[@]}" -name "$package.pc" 2>/dev/null || true; } | sed -n 1p)  # not each folder exists
        if [ -z "$file" ]; then
            left_out "pgq-$component: this machine lacks $package.pc"
            continue
        fi
        sed '/^Requires.private/d' "$file" >"$only/$package.pc"  # those are for static libraries
    fi
    for flags in cflags libs; do
        PKG_CONFIG_LIBDIR=$ours:$only pkg-config --$flags "pgq-$component" >"$work/$flags-$component" ||
            fail "pgq-$component needs more than $package"
    done
done

# Of one that has a .pc file for its library, and of the one that has flags of its own.
cp -r "$packaging/consumer" "$work"
cd "$work/consumer"
for component in zstd timezones; do
    [ -s "$work/libs-$component" ] || continue
    if ! has_library $component; then
        left_out "pgq-$component: this machine lacks its library"
        continue
    fi
    hide "$work/hidden/$component" $component
    echo "bool run_$component(); int main() { return run_$component() ? 0 : 1; }" >main.cpp
    read -ra flags <"$work/cflags-$component"
    for file in main $component; do
        quietly compile ${launcher:+"$launcher"} "$cxx" -std=c++20 -Wall -Wextra -Werror -I"$work/hidden/$component" \
            "${flags[@]}" -c $file.cpp
    done
    read -ra flags <"$work/libs-$component"
    quietly link "$cxx" main.o $component.o -o $component "${flags[@]}"
    run_program ./$component
    # shellcheck disable=SC2046
    links_only $component $(libraries_of $component)
done
