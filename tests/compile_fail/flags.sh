# Sourced by the other scripts. `fixture_flags gcc|clang` sets `flags` to the flags that each fixture needs. The
# compiler prints no source lines, because check.sh would search them for errors too.
fixture_flags() {
    case $1 in
    gcc) flags=(-fdiagnostics-color=never -fno-diagnostics-show-caret) ;;
    clang) flags=(-fno-color-diagnostics -fno-caret-diagnostics -DASIO_HAS_CO_AWAIT=1 -DASIO_HAS_STD_COROUTINE=1) ;;
    esac
}
