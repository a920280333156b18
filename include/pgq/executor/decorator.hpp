#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/concept/executor.hpp>
#include <pgq/executor/default_inner.hpp>

#include <cstddef>
#include <functional>
#include <utility>

namespace pgq::executor {

/// An executor that forwards every call to `Inner`. It is the base class of the decorators of this library and of your
/// own. The concept `intercepts_tries` describes what a decorator may add.
template <executor_policy Inner = default_inner>
class decorator {
public:
    using policy_category = executor_tag;
    using inner_type = Inner;
    static constexpr bool runs_coroutines = coroutine_executor<Inner>;
    static constexpr bool runs_in_place = pgq::runs_in_place<Inner>;

    decorator() = default;
    explicit decorator(const Inner& inner) : inner_{inner} {}

    const Inner& inner() const noexcept { return inner_; }

    std::size_t width() const noexcept { return inner_.width(); }
    void start() { inner_.start(); }
    void execute(const task& t) { inner_.execute(t); }
    void stop() noexcept { inner_.stop(); }
    template <class Call>
    void drive(Call call) requires(runs_coroutines) {
        inner_.drive(std::move(call));
    }
    void when_idle(std::function<void()> f) requires(can_report_idle<Inner>) { inner_.when_idle(std::move(f)); }

    void add_spare_thread() noexcept requires(can_add_spare_thread<Inner>) { inner_.add_spare_thread(); }
    void remove_spare_thread() noexcept requires(can_add_spare_thread<Inner>) { inner_.remove_spare_thread(); }

private:
    Inner inner_{};
};

static_assert(executor_decorator<decorator<>>);
static_assert(!intercepts_tries<decorator<>>);

}  // namespace pgq::executor
