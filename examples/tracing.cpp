// run:
#include <pgq/driver/memory.hpp>
#include <pgq/observer/span_collector.hpp>
#include <pgq/observer/tracing.hpp>
#include <pgq/pgq.hpp>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

namespace app {

struct order {
    static constexpr std::string_view entrypoint = "order";
    std::string what{};
};
struct invoice {
    static constexpr std::string_view entrypoint = "invoice";
    std::string what{};
};

using tracer = pgq::observer::tracing<pgq::observer::span_collector>;
using queue = pgq::queue<order, invoice, pgq::driver::memory, pgq::serializer::raw, pgq::backoff::none,
                         pgq::executor::in_place, tracer>;

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::order, what);
BOOST_HANA_ADAPT_STRUCT(app::invoice, what);

int main() {
    pgq::observer::span_collector spans;  // shares its spans with the copy in the queue
    app::queue jobs{{}, {}, pgq::executor::in_place{}, app::tracer{spans}};

    // The span of an HTTP request, as its headers say.
    const auto request = pgq::trace::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "vendor=1");
    {
        const pgq::trace::scope here{*request};
        jobs.enqueue(app::order{"book"}).value();
    }

    pgq::worker_options until_empty{.until = pgq::run_until::empty};
    pgq::worker w{jobs, until_empty,
                  [&](const app::order& o, pgq::context& c) {
                      if (c.attempt() == 1) throw std::runtime_error{"no answer from the shop"};
                      jobs.enqueue(app::invoice{o.what}).value();  // a child of this attempt
                  },
                  [](const app::invoice& i, pgq::context& c) {
                      const std::string parent{pgq::trace::traceparent{*c.trace()}.text()};
                      std::printf("%s is paid, in %zu characters of traceparent\n\n", i.what.c_str(), parent.size());
                  }};
    w.run().value();

    std::fputs(draw_spans(spans.spans()).c_str(), stdout);
    return spans.spans().size() == 5 ? 0 : 1;
}
