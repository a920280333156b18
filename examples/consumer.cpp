// consumer [--until-empty] [CONNECTION-STRING]: runs jobs until Ctrl-C or TERM, or until the queue is empty.

#include "mail.hpp"

#include <pgq/run.hpp>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace {

struct arguments {
    bool until_empty = false;
    const char* conninfo = nullptr;
    bool good = true;
};

arguments parse(int argc, char** argv) {
    arguments a;
    for (int i = 1; i < argc; ++i) {
        const std::string_view arg = argv[i];
        if (arg == "--until-empty") a.until_empty = true;
        else if (arg.starts_with('-') || a.conninfo != nullptr) a.good = false;
        else a.conninfo = argv[i];
    }
    return a;
}

}  // namespace

int main(int argc, char** argv) try {
    const arguments given = parse(argc, argv);
    if (!given.good) {
        std::fputs("usage: consumer [--until-empty] [CONNECTION-STRING]\n", stderr);
        return 2;
    }

    mail::queue jobs{mail::database(given.conninfo)};
    jobs.install().value();

    // Handlers run on several threads at once. If a worker is killed, another worker runs its jobs again. A real
    // handler would send context::id() with the mail, so that the mail server can drop a duplicate.
    std::atomic<std::int64_t> sent{0};
    const auto send = [&sent](const mail::send_email& m) -> pgq::outcome {
        if (m.to.empty()) return pgq::discard{"nobody to send it to"};
        ++sent;
        return pgq::done{};
    };

    pgq::worker_options options;
    if (given.until_empty) options.until = pgq::run_until::empty;
    pgq::worker w{jobs, options, send};
    const auto ended = pgq::run(w);  // until Ctrl-C or SIGTERM

    std::printf("sent %lld emails\n", static_cast<long long>(sent.load()));
    return ended;
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "consumer: %s\n", e.info().text().c_str());
    return 1;
}
