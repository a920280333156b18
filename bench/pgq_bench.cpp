// Measures how fast pgq is, and what a job costs: pgq_bench [--quick] [--json FILE] [QUESTION...]
//
// The program connects to PGQ_DSN; if that is not set, to the server of libpq's environment. No other program should
// use that server meanwhile. The program creates missing tables and deletes all jobs in them.

#include <questions/questions.hpp>
#include <support/mail.hpp>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

namespace {

struct arguments {
    bool quick = false;
    std::string json{};
    std::vector<std::string> questions{};
};

bool is_wanted(const arguments& args, const bench::question& q) {
    if (args.questions.empty())
        return q.when == bench::run_when::always || (q.when == bench::run_when::not_quick && !args.quick);
    for (const auto& name : args.questions)
        if (name == q.name) return true;
    return false;
}

int usage(const std::string& why) {
    std::fprintf(stderr, "pgq_bench: %s\npgq_bench [--quick] [--json FILE] [QUESTION...]\nquestions:", why.c_str());
    for (const auto& q : bench::questions) std::fprintf(stderr, " %s", std::string{q.name}.c_str());
    std::fputs("\n", stderr);
    return 2;
}

std::string dsn_of_environment() {
    const char* const named = std::getenv("PGQ_DSN");
    return named != nullptr ? named : "";
}

int run(const arguments& args) {
    const std::string dsn = dsn_of_environment();
    bench::mail_queue<>{pgq::driver::libpq{dsn}}.install().value();
    bench::report out{args.json};
    bench::meter counters{dsn};
    bench::context c{.dsn = dsn, .quick = args.quick, .out = out, .counters = counters};
    for (const auto& q : bench::questions)
        if (is_wanted(args, q)) q.run(c);
    return out.failures() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) try {
    arguments args;
    if (argc == 4 && std::string_view{argv[1]} == "--child" && std::string_view{argv[2]} == "drain")
        return bench::drain_as_child(dsn_of_environment(), static_cast<std::uint32_t>(std::atoi(argv[3])));
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--quick") args.quick = true;
        else if (word == "--json" && i + 1 < argc) args.json = argv[++i];
        else if (word.starts_with("--")) return usage("unknown option " + word);
        else args.questions.push_back(word);
    }
    for (const auto& name : args.questions) {
        bool known = false;
        for (const auto& q : bench::questions) known = known || name == q.name;
        if (!known) return usage("unknown question " + name);
    }
    return run(args);
} catch (const std::exception& e) {
    std::fprintf(stderr, "pgq_bench: %s\n", e.what());
    return 1;
}
