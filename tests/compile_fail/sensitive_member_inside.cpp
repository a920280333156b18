// expect: pgq: a job type has a sensitive member, but its serializer does not encrypt\. Put the

#include "fakes.hpp"

#include <pgq/job/sensitive.hpp>

#include <optional>
#include <vector>

// A sensitive member is found at any depth, and with every serializer that does not encrypt.
struct card {
    pgq::sensitive<std::string> number{};
};
BOOST_HANA_ADAPT_STRUCT(card, number);
struct payment {
    static constexpr std::string_view entrypoint = "payment";
    std::vector<std::optional<card>> cards{};
};
BOOST_HANA_ADAPT_STRUCT(payment, cards);

struct anything_goes {
    using policy_category = pgq::serializer_tag;
    template <class Job>
    pgq::result<void> write(const Job&, std::string&) const {
        return {};
    }
    template <class Job>
    pgq::result<void> read(std::string_view, Job&) const {
        return {};
    }
};

using broken = pgq::queue<pgq::job<payment>, fakes::driver, anything_goes>;
static_assert(sizeof(broken) != 0);
