#pragma once

#include "operation.hpp"
#include "order.hpp"
#include "request.hpp"

#include <memory>
#include <string>

namespace pgq::driver {
class libpq;
}

namespace pgq::web {

/// What became of an order: the answer to the client, and the count for the log.
struct performed {
    response answer{};
    std::string outcome{};  ///< "done=3 skipped=0", or why it was refused
};

/// Performs orders with a session of its own. Calls block; one thread at a time may make them.
class actions {
public:
    explicit actions(const driver::libpq& driver);
    ~actions();
    actions(const actions&) = delete;
    actions& operator=(const actions&) = delete;

    performed perform(const order& o);
    /// An action on all that match: reports to `to`, and ends early if that is stopped. Returns the count for the log.
    std::string perform(const act_order& o, operation& to);

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

}  // namespace pgq::web
