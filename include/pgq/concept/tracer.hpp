#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/trace/context.hpp>
#include <pgq/trace/operation.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace pgq {

/// The span of a call that enqueues. `context()`: what goes into the headers of the jobs; null: nothing. What it points
/// to, and the text of its state, live until `end`. The library calls `end` once, on the same thread.
template <class S>
concept send_span = std::movable<S> && requires(S& s, const S& c, const trace::send_end& e) {
    { c.context() } -> std::convertible_to<const trace::context*>;
    s.end(e);
};

/// The span of an attempt, or of a call for a batch. `context()` is what the handler's context shows. `activate()`
/// returns an object; while it lives, the span is the current one of the thread. The library calls it around a handler
/// that is no coroutine, once for each try. The library calls `end` once, perhaps on another thread. A span may move
/// before the handler is called.
template <class S>
concept process_span = std::movable<S> && requires(S& s, const S& c, const trace::process_end& e) {
    { c.context() } -> std::convertible_to<const trace::context*>;
    s.activate();
    s.end(e);
};

/// An observer that also makes spans. Several threads call it at once, between the steps of a job, so it must be fast;
/// an exception that leaves it, or one of its spans, ends the program. It may handle events, too. A queue has at most
/// one tracer, perhaps as a part of observer::all_of. Test your own with pgq/testing/laws/tracer.hpp.
template <class T>
concept tracer = policy_of<T, observer_tag> &&
    requires(T& t, const trace::send_begin& s, const trace::process_begin& p) {
    { t.start_send(s) } -> send_span;
    { t.start_process(p) } -> process_span;
};

namespace detail {

// A name that two bases have is ambiguous, so it cannot be used: then `T` has it, too, however it is declared there.
struct named_start_send {
    int start_send;
};
struct named_start_process {
    int start_process;
};
template <class T, class Named>
struct with_name : T, Named {};

/// Has a member with a name of the concept, whatever it is.
template <class T>
concept looks_like_tracer =
    std::is_class_v<T> && !std::is_final_v<T> && !(
                                                     requires { &with_name<T, named_start_send>::start_send; } &&
                                                     requires { &with_name<T, named_start_process>::start_process; });

template <class O>
concept has_parts = requires {
    typename O::observers;
};

template <class O>
consteval std::size_t tracers_in();
template <class... Parts>
consteval std::size_t tracers_among(type_list<Parts...>) {
    return (std::size_t{0} + ... + tracers_in<Parts>());
}
template <class O>
consteval std::size_t tracers_in() {
    if constexpr (has_parts<O>) return tracers_among(typename O::observers{});
    else return tracer<O> ? 1 : 0;
}

/// The position of the first part that is a tracer or has one.
template <class... Parts>
consteval std::size_t position_of_tracer(type_list<Parts...>) {
    std::size_t at = 0;
    (void)((tracers_in<Parts>() == 0 && (++at, true)) && ...);
    return at;
}

}  // namespace detail

template <class O>
concept has_tracer = detail::tracers_in<O>()
== 1;
/// Has more than one, which no queue accepts.
template <class O>
concept has_tracers = (detail::tracers_in<O>() > 1);

namespace detail {

/// The tracer of an observer: itself, or one of its parts.
template <has_tracer O>
auto& tracer_of(O& o) noexcept {
    if constexpr (has_parts<O>) {
        constexpr std::size_t at = position_of_tracer(typename O::observers{});
        return tracer_of(o.template get<at>());
    } else return o;
}

template <has_tracer O>
using tracer_of_t = std::remove_reference_t<decltype(tracer_of(std::declval<O&>()))>;

}  // namespace detail

}  // namespace pgq
