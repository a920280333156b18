// A worker and the command of its operator in one program:
//
//   service install                                                              makes the tables
//   service run                                                                  works until SIGTERM or Ctrl-C
//   service enqueue resize '{"path": "cat.jpg", "edge": 256}' --delay 10s        prints the id of the job
//   service queues, service pause pictures --reason ..., service --help          what the command pgq has

#include <pgq/cli.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

namespace pictures {
struct resize {
    static constexpr std::string_view entrypoint = "resize";
    std::string path{};
    int edge = 256;
};
struct report {
    static constexpr std::string_view entrypoint = "report";
    std::string about{};
};
}  // namespace pictures
BOOST_HANA_ADAPT_STRUCT(pictures::resize, path, edge);
BOOST_HANA_ADAPT_STRUCT(pictures::report, about);

using namespace std::chrono_literals;
using job_queue = pgq::queue<pictures::resize, pictures::report, pgq::driver::libpq, pgq::serializer::json>;

void resize(const pictures::resize& job, pgq::context& c) {
    if (job.edge < 1) throw std::runtime_error{"a picture has no edge of " + std::to_string(job.edge)};
    c.resource<job_queue>().enqueue(pictures::report{job.path}).value();  // a handler finds the queue there
}

void report(const pictures::report& job) {
    std::printf("resized %s\n", job.about.c_str());
    std::fflush(stdout);
}

int main(int argc, char** argv) {
    return pgq::main(argc, argv,
                     pgq::app<job_queue>{.name = "service",
                                         .what = "Makes pictures smaller",
                                         .version = "1.0",
                                         .queue = {.name = "pictures"},
                                         .worker = {.max_attempts = 3, .grace = 20s},
                                         .run = {.longest_handler = 10min}},
                     resize, report);
}
