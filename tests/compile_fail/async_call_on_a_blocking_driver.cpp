// expect: pgq: an asynchronous call requires an asynchronous driver\. Use a

#include "fakes.hpp"

template <class Driver>
bool async_enqueue(const Driver&) {
    if constexpr (pgq::diagnostic::require_async<Driver>()) return true;
    else return false;
}

bool used() { return async_enqueue(fakes::driver{}); }
