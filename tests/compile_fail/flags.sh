# To be sourced. What a fixture is compiled with besides what it is given: `fixture_flags gcc|clang` fills `flags`.
# Source lines in the output would be searched for errors too.
fixture_flags() {
    case $1 in
    gcc) flags=(-fdiagnostics-color=never -fno-diagnostics-show-caret) ;;
    clang) flags=(-fno-color-diagnostics -fno-caret-diagnostics -DASIO_HAS_CO_AWAIT=1 -DASIO_HAS_STD_COROUTINE=1) ;;
    esac
}
