#pragma once

#include <pgq/concept/runnable.hpp>
#include <pgq/error/result.hpp>
#include <pgq/health/worker_health.hpp>

#include <concepts>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace pgq::detail {

/// A reference to something runnable, whatever its type.
class runnable_ref {
public:
    template <runnable T>
        requires(!std::same_as<std::remove_const_t<T>, runnable_ref>)
    explicit runnable_ref(T& object) noexcept
        : object_{&object},
          run_{[](void* o, std::stop_token stop) { return static_cast<T*>(o)->run(std::move(stop)); }},
          health_{[](const void* o) -> std::optional<worker_health> {
              if constexpr (reports_health<T>) return static_cast<const T*>(o)->health();
              else return std::nullopt;
          }} {}

    result<void> run(std::stop_token stop) const { return run_(object_, std::move(stop)); }
    std::optional<worker_health> health() const { return health_(object_); }

private:
    void* object_;
    result<void> (*run_)(void*, std::stop_token);
    std::optional<worker_health> (*health_)(const void*);
};

}  // namespace pgq::detail
