// expect: pgq: a serializer lacks write\(\) or read\(\) for a job type\. Give it both

#include "fakes.hpp"

struct write_only {
    using policy_category = pgq::serializer_tag;
    template <class Job>
    pgq::result<void> write(const Job&, std::string&) const {
        return {};
    }
};

using broken = pgq::queue<pgq::job<fakes::mail>, fakes::driver, write_only>;
static_assert(sizeof(broken) != 0);
