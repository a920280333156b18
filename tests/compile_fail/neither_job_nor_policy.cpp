// expect: pgq: an argument is neither a job nor a policy\. Write pgq::job<T>

#include "fakes.hpp"

using broken = pgq::queue<pgq::job<fakes::mail>, fakes::driver, fakes::serializer, std::string>;
static_assert(sizeof(broken) != 0);
