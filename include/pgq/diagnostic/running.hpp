#pragma once

#include <pgq/concept/runnable.hpp>
#include <pgq/diagnostic/never.hpp>

#include <type_traits>

// Compile-time messages about calls of pgq::run.
namespace pgq::diagnostic {

template <class... Arguments>
struct nothing_to_run {
    static_assert(never<Arguments...>,
                  "pgq: run got nothing to run. Give it a worker: run(worker), or run({.health_port = 8080}, worker).");
};

/// `Options` stand behind something that runs.
template <class Options>
struct run_options_behind {
    static_assert(never<Options>,
                  "pgq: run_options stand behind something that runs. Write them first: run(options, worker).");
};

template <class Thing>
struct not_runnable {
    static_assert(never<Thing>,
                  "pgq: run got an argument that it cannot run. Give it workers that are not const, or objects with a "
                  "member `pgq::result<void> run(std::stop_token)`.");
};

template <class Bool>
struct run_result_is_no_condition {
    static_assert(never<Bool>,
                  "pgq: the result of run is an exit code: 0 is success, and would be false. Test its how() instead.");
};

namespace detail {

template <class Options, class Thing>
using error_unless_runnable =
    std::conditional_t<std::is_same_v<std::remove_cvref_t<Thing>, Options>, run_options_behind<Options>,
                       std::conditional_t<runnable<Thing>, std::true_type, not_runnable<Thing>>>;

}  // namespace detail

/// True if run can run `Thing`, which is no reference; otherwise a compile error with a message. `Options`: those of
/// run.
template <class Options, class Thing>
struct require_runnable : std::bool_constant<runnable<Thing> && !std::is_same_v<Thing, Options>> {
    static_assert(sizeof(detail::error_unless_runnable<Options, Thing>) != 0);
};

}  // namespace pgq::diagnostic
