#pragma once

// As fakes.hpp, without the headers that <pgq/client.hpp> leaves out.

#include <pgq/client.hpp>
#include <pgq/driver/memory.hpp>

#include <string>
#include <string_view>

namespace client_fakes {

struct serializer {
    using policy_category = pgq::serializer_tag;
    static constexpr bool by_members = false;
    template <class Job>
    static constexpr bool supports_job = true;
    template <class Job>
    pgq::result<void> write(const Job&, std::string&) const {
        return {};
    }
    template <class Job>
    pgq::result<void> read(std::string_view, Job&) const {
        return {};
    }
};

struct mail {
    static constexpr std::string_view entrypoint = "mail";
    std::string to{};
};

using mail_client = pgq::queue<mail, pgq::driver::memory, serializer>;

}  // namespace client_fakes
