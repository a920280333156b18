// How does the size of the payload change the rate of enqueue and drain?

#include <questions/questions.hpp>
#include <support/mail.hpp>

#include <algorithm>

namespace bench {

void payloads(context& c) {
    for (const std::int64_t size : {100, 1000, 10'000, 100'000, 1'000'000}) {
        if (c.quick && size > 100'000) continue;
        const std::int64_t bytes = c.jobs(100'000'000, 10'000'000);
        const auto n = std::clamp<std::int64_t>(bytes / size, 20, 100'000);
        const auto in_one = std::clamp<std::int64_t>(1'000'000 / size, 1, 1000);
        std::vector<mail> some(static_cast<std::size_t>(in_one),
                               mail{std::string(static_cast<std::size_t>(size), 'x'), 1});
        const auto rounded = (n + in_one - 1) / in_one * in_one;
        const std::string name = size >= 1'000'000 ? "1 MB"
                                 : size >= 1000    ? std::to_string(size / 1000) + " kB"
                                                   : "100 B";
        measure(c, {.question = "payloads", .what = name + ", in and out"},
                trial_of{[&] { clear(c.dsn); },
                         [&] {
                             mail_queue<> jobs{strict_driver(c.dsn)};
                             for (std::int64_t i = 0; i < rounded; i += in_one) jobs.enqueue(some).value();
                             std::int64_t seen = 0;
                             pgq::worker w{jobs,
                                           pgq::worker_options{.max_prefetch = 1999, .until = pgq::run_until::empty},
                                           [&](const mail&) { ++seen; }};
                             w.run().value();
                             if (seen != rounded) throw std::runtime_error{"a job was lost or ran twice"};
                             return rounded;
                         }});
    }
}

}  // namespace bench
