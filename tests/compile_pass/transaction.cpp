// Handlers in transactions, in each signature that is allowed.

#include "../compile_fail/fakes.hpp"

#include <pgq/driver/libpq.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/timeout.hpp>
#include <pgq/transaction/transaction.hpp>

#include <chrono>
#include <optional>
#include <string>

using namespace std::chrono_literals;

using in_memory = pgq::queue<fakes::mail, fakes::picture, pgq::driver::memory, fakes::serializer>;
using in_another_order = pgq::queue<pgq::driver::memory, fakes::serializer, fakes::picture, fakes::mail>;
static_assert(std::is_same_v<pgq::transaction<in_memory>, pgq::transaction<in_another_order>>);
using timed = pgq::queue<pgq::job<fakes::mail, pgq::executor::timeout<30s>>, pgq::driver::libpq, fakes::serializer>;

struct overloaded {
    void operator()(const fakes::mail&, pgq::transaction<in_memory>&) {}
    int operator()(const fakes::picture&, pgq::context&, pgq::transaction<in_memory>&) { return 7; }
};

void start() {
    fakes::handle<in_memory>([](const fakes::mail&, pgq::transaction<in_another_order>&) {},
                             [](fakes::picture, const pgq::context&, pgq::transaction<in_memory>&) { return 7; });
    fakes::handle<in_memory>(overloaded{});
    fakes::handle<timed>([](const fakes::mail& m, pgq::context&, pgq::transaction<timed>& tx) -> pgq::outcome {
        const std::optional<int> nothing;
        (void)tx.exec("INSERT INTO sent VALUES ($1, $2, $3)", m.to, 1, nothing).value();
        return pgq::done{};
    });
}
