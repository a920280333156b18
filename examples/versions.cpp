// run:
// Changes the members of a payload while old and new programs run.

#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

namespace app {

// The old program writes this.
struct resize_1 {
    static constexpr std::string_view entrypoint = "resize";
    std::string path{};
};
// The new program writes this, and reads both.
struct resize {
    static constexpr std::string_view entrypoint = "resize";
    using previous = resize_1;
    static resize from(resize_1&& old) { return {.path = std::move(old.path), .edge = 256}; }

    std::string path{};
    int edge = 0;
};

}  // namespace app

BOOST_HANA_ADAPT_STRUCT(app::resize_1, path);
BOOST_HANA_ADAPT_STRUCT(app::resize, path, edge);

using versioned = pgq::serializer::versioned<pgq::serializer::json>;
using old_program = pgq::queue<app::resize_1, pgq::driver::memory, versioned>;
using new_program = pgq::queue<app::resize, pgq::driver::memory, versioned>;

int main() {
    const pgq::driver::memory store;
    old_program before{store};
    new_program now{store};
    before.enqueue(app::resize_1{"cat.jpg"}).value();
    now.enqueue(app::resize{"dog.jpg", 512}).value();

    // The old program gets only jobs that it can read.
    pgq::worker old_worker{before, {.until = pgq::run_until::empty}, [](const app::resize_1& r) {
                               std::printf("old: %s\n", r.path.c_str());
                           }};
    old_worker.run().value();
    before.enqueue(app::resize_1{"owl.jpg"}).value();
    pgq::worker new_worker{now, {.until = pgq::run_until::empty}, [](const app::resize& r) {
                               std::printf("new: %s %d\n", r.path.c_str(), r.edge);
                           }};
    new_worker.run().value();
}
