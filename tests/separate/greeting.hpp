#pragma once

#include <pgq/client.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/serializer/json.hpp>

#include <string>
#include <string_view>

namespace separate {

struct greeting {
    static constexpr std::string_view entrypoint = "greeting";
    std::string name{};
};

using greetings = pgq::queue<pgq::job<greeting>, pgq::driver::libpq, pgq::serializer::json>;

/// Runs what is there, and returns the names.
std::string work(greetings& queue);

}  // namespace separate
BOOST_HANA_ADAPT_STRUCT(separate::greeting, name);
