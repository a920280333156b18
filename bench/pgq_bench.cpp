// Asks how fast it is, and what it costs: pgq_bench [--quick] [--json FILE] [QUESTION...]
//
// The server is the one of PGQ_DSN, else the one of libpq's environment; nothing else should use it. The tables are made when
// they are missing, and emptied.

#include <questions/questions.hpp>
#include <support/mail.hpp>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

namespace {

struct wishes {
    bool quick = false;
    std::string json{};
    std::vector<std::string> questions{};
};

bool is_wanted(const wishes& w, const bench::question& q) {
    if (w.questions.empty()) return q.when == bench::asked::always || (q.when == bench::asked::at_length && !w.quick);
    for (const auto& name : w.questions)
        if (name == q.name) return true;
    return false;
}

int usage(const std::string& why) {
    std::fprintf(stderr, "pgq_bench: %s\npgq_bench [--quick] [--json FILE] [QUESTION...], of these:", why.c_str());
    for (const auto& q : bench::questions) std::fprintf(stderr, " %s", std::string{q.name}.c_str());
    std::fputs("\n", stderr);
    return 2;
}

std::string dsn_of_environment() {
    const char* const named = std::getenv("PGQ_DSN");
    return named != nullptr ? named : "";
}

int ask(const wishes& w) {
    const std::string dsn = dsn_of_environment();
    bench::mail_queue<>{pgq::driver::libpq{dsn}}.install().value();
    bench::report out{w.json};
    bench::meter counters{dsn};
    bench::context c{.dsn = dsn, .quick = w.quick, .out = out, .counters = counters};
    for (const auto& q : bench::questions)
        if (is_wanted(w, q)) q.ask(c);
    return out.failures() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) try {
    wishes w;
    if (argc == 4 && std::string_view{argv[1]} == "--child" && std::string_view{argv[2]} == "drain")
        return bench::drain_as_child(dsn_of_environment(), static_cast<std::uint32_t>(std::atoi(argv[3])));
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--quick") w.quick = true;
        else if (word == "--json" && i + 1 < argc) w.json = argv[++i];
        else if (word.starts_with("--")) return usage("what is " + word + "?");
        else w.questions.push_back(word);
    }
    for (const auto& name : w.questions) {
        bool known = false;
        for (const auto& q : bench::questions) known = known || name == q.name;
        if (!known) return usage("there is no question " + name);
    }
    return ask(w);
} catch (const std::exception& e) {
    std::fprintf(stderr, "pgq_bench: %s\n", e.what());
    return 1;
}
