// expect: pgq: a handler returns a number that the `result` of its job type cannot hold\. Return that type
// within: 10 lines

#include "fakes.hpp"

using fine = pgq::queue<fakes::picture, fakes::driver, fakes::serializer>;

void used() {
    fakes::handle<fine>([](const fakes::picture&) { return 2.7; });
}
