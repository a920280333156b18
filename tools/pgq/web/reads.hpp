#pragma once

#include "request.hpp"

#include <pgq/protocol/listing.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pgq::driver {
class libpq;
}

namespace pgq::web {

/// What an operator may do here, and why not.
struct access {
    bool may_act = false;
    std::string reason{};  ///< a sentence for people, if `may_act` is false
};

/// Shows a payload as JSON, if the program knows its type.
using payload_view = std::function<std::optional<std::string>(const listed_lane& of, std::string_view body)>;

/// Answers the GET requests below /api/ from the database, in transactions that cannot write. Calls block; one thread
/// at a time may make them.
class reads {
public:
    reads(const driver::libpq& driver, payload_view decode, bool read_only);
    ~reads();
    reads(const reads&) = delete;
    reads& operator=(const reads&) = delete;

    static bool knows(std::string_view path);
    /// For how long the answer may be shared.
    static int seconds_to_share(const request_target& t);

    response answer(const request_target& t);
    /// Throws `failure` if the database cannot be reached, or has another schema.
    void check();

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

}  // namespace pgq::web
