// The fakes of the compile_fail fixtures compile if nothing is wrong with them.

#include "../compile_fail/fakes.hpp"

using in_one_order = pgq::queue<pgq::job<fakes::mail>, pgq::job<fakes::picture, fakes::serializer, fakes::backoff>,
                                fakes::driver, fakes::serializer, fakes::coroutine_executor, fakes::observer>;
using in_another = pgq::queue<fakes::observer, pgq::job<fakes::picture, fakes::backoff, fakes::serializer>,
                              fakes::coroutine_executor, fakes::serializer, fakes::mail, fakes::driver>;
static_assert(std::is_same_v<in_one_order::composition_type, in_another::composition_type>);

void start() {
    fakes::handle<in_one_order>([](const fakes::mail&) {}, [](const fakes::picture&, pgq::context&) { return 7; });
    fakes::handle<in_one_order>([](const fakes::mail&) { return fakes::awaitable<void>{}; },
                                [](const fakes::picture&) { return fakes::awaitable<pgq::outcome>{}; });
    fakes::handle<in_one_order>([](std::span<const fakes::mail>) { return pgq::outcomes{}; },
                                [](std::span<const fakes::picture>, pgq::batch_context&) { return pgq::done{}; });
    fakes::handle<in_one_order>([](std::span<const fakes::mail>) { return fakes::awaitable<pgq::outcomes>{}; },
                                [](std::span<const fakes::picture>, const pgq::batch_context&) {});
}
