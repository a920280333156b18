#pragma once

#include <support/forwarding_session.hpp>

#include <utility>
#include <variant>

namespace test {

/// A session of one of two types; either may come from a pool. With it, the driver laws can check a driver that has one
/// session type for clients and another for workers.
template <class A, class B>
class either_session : public forwarding_session<either_session<A, B>> {
public:
    explicit either_session(A a) : held_{std::in_place_index<0>, std::move(a)} {}
    explicit either_session(B b) : held_{std::in_place_index<1>, std::move(b)} {}

    void interrupt() noexcept {
        on("interrupt", [](auto& s) { s.interrupt(); });
    }
    bool take_stop_request() noexcept {
        return on("stop_request", [](auto& s) { return s.take_stop_request(); });
    }

private:
    friend forwarding_session<either_session>;

    template <class Call>
    auto on(const char*, Call call) {
        return std::visit(
            [&](auto& s) {
                if constexpr (requires { s.discard(); }) return call(s.get());
                else return call(s);
            },
            held_);
    }

    std::variant<A, B> held_;
};

}  // namespace test
