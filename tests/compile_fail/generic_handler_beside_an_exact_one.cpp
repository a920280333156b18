// expect: pgq: two handlers accept the same job\. Keep one

#include "fakes.hpp"

using both = pgq::queue<pgq::job<fakes::mail>, pgq::job<fakes::picture>, fakes::driver, fakes::serializer>;

void start() {
    fakes::handle<both>([](const fakes::mail&) {}, [](const auto&) {});
}
