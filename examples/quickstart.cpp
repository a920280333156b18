// quickstart [--files DIR] [--workers N] [--dsn CONNECTION-STRING]: counts the words of some thousand files in several
// processes, and checks that no job was lost. It connects to --dsn, or else to PGQ_DSN, or else by PGHOST and so on.
//
// One job `scan` enqueues an `index_file` for each file. The last `index_file` to finish enqueues the `report`.

#include "quickstart/display.hpp"
#include "quickstart/jobs.hpp"
#include "quickstart/processes.hpp"
#include "quickstart/store.hpp"
#include "quickstart/work.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <clocale>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace quickstart;

constexpr std::int64_t max_files = 20000;
constexpr std::int64_t top_words = 20;

struct settings {
    scan what{};
    std::size_t workers = std::max(2u, std::thread::hardware_concurrency());
};

/// An error whose message is complete for the user.
struct user_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The documentation of the system. If that is less than 4000 files, the headers of C and C++ too.
std::vector<std::string> default_directories() {
    std::vector<std::string> all{"/usr/share/doc"};
    if (list_files(all, max_files).size() < 4000) all.emplace_back("/usr/include");
    return all;
}

settings parse(int argc, char** argv) {
    settings s;
    s.what.at_most = max_files;
    for (int i = 1; i < argc; i += 2) {
        const std::string_view name = argv[i];
        if (i + 1 == argc) throw user_error{"usage: quickstart [--files DIR] [--workers N] [--dsn CONNECTION-STRING]"};
        const std::string_view value = argv[i + 1];
        if (name == "--files") {
            s.what.directories = {std::filesystem::absolute(value).native()};
            if (!std::filesystem::is_directory(value))
                throw user_error{"--files: no such directory: " + std::string{value}};
        } else if (name == "--workers") {
            const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), s.workers);
            if (failed != std::errc{} || *end != '\0' || s.workers < 1 || s.workers > 64)
                throw user_error{"--workers: a number from 1 to 64"};
        } else if (name == "--dsn") {
            setenv("PGQ_DSN", argv[i + 1], 1);  // the workers read it
        } else throw user_error{"unknown option: " + std::string{name}};
    }
    if (s.what.directories.empty()) s.what.directories = default_directories();
    return s;
}

/// A schema name that no other run uses, on any machine.
std::string random_schema() {
    std::random_device random;
    char name[32];
    std::snprintf(name, sizeof name, "quickstart_%08x%08x", random(), random());
    return name;
}

/// Creates the tables of a run, and drops them when the run ends, also after an error.
class own_tables {
public:
    own_tables(database& db, const job_queue& jobs) : db_{&db} {
        store::create(*db_);
        if (auto installed = jobs.driver().install(); !installed) {
            store::drop(*db_);
            installed.value();
        }
    }
    own_tables(const own_tables&) = delete;
    own_tables& operator=(const own_tables&) = delete;
    ~own_tables() {
        try {
            store::drop(*db_);
        } catch (const std::exception& e) {
            std::fprintf(stderr, "quickstart: cannot drop the schemas %s and %s_jobs: %s\n", db_->schema().c_str(),
                         db_->schema().c_str(), e.what());
        }
    }

private:
    database* db_;
};

/// How many jobs of all types the queue has.
struct in_queue {
    std::int64_t held = 0;
    std::int64_t all = 0;
};

template <class... Jobs>
in_queue count(job_queue& jobs) {
    in_queue sum;
    const auto add = [&sum](const pgq::lane_counts& c) {
        sum.held += c.held;
        sum.all += c.ready + c.deferred + c.leased + c.held;
    };
    (add(jobs.counts<Jobs>().value()), ...);
    return sum;
}

in_queue count_all(job_queue& jobs) { return count<scan, index_file, report>(jobs); }

/// The queue holds a job after its handler failed five times.
template <class Job>
void show_held(job_queue& jobs) {
    for (const auto& job : jobs.held<Job>(3).value())
        std::fprintf(stderr, "quickstart: held: %s: %s\n", job.body.c_str(), job.reason.c_str());
}

void check_held(job_queue& jobs) {
    if (count_all(jobs).held == 0) return;
    show_held<scan>(jobs);
    show_held<index_file>(jobs);
    show_held<report>(jobs);
    throw user_error{"jobs failed"};
}

class interrupted {};

/// Starts a worker for each one that ended. The jobs of an ended worker run again when its leases expire.
void replace_dead(processes& workers, display& out, int& replacements_left) {
    for (const auto& message : workers.ended()) {
        if (replacements_left-- == 0) throw user_error{"too many workers ended"};
        out.print(message + "; starting another");
        workers.start();
    }
}

/// Waits until the report exists and the queue is empty. False if the queue is empty without a report: jobs were lost.
bool watch(database& db, job_queue& jobs, processes& workers, const signals& signal, display& out) {
    int replacements_left = 20;
    auto shown = display::clock::time_point{};
    auto counted = display::clock::now();
    for (auto progress = store::get_progress(db);; progress = store::get_progress(db)) {
        const auto now = display::clock::now();
        if (now - shown >= out.interval()) out.show(progress, workers.size()), shown = now;
        if (progress.reported || now - counted >= std::chrono::seconds{1}) {
            check_held(jobs);
            // A handler commits the next jobs before its own job leaves the queue, so an empty queue stays empty.
            if (count_all(jobs).all == 0) {
                progress = store::get_progress(db);
                out.show(progress, workers.size());
                out.end_bar();
                return progress.reported;
            }
            counted = now;
        }
        const int which = signal.wait(std::chrono::milliseconds{50});
        if (which == SIGCHLD) replace_dead(workers, out, replacements_left);
        else if (which != 0) throw interrupted{};
    }
}

/// Counts the words again, without a queue, a database or other processes.
store::totals count_directly(const scan& what, const signals& signal) {
    store::totals sum;
    word_counts counts;
    for (const auto& path : list_files(what.directories, what.at_most)) {
        if (signal.stop_requested()) throw interrupted{};
        const auto text = read_text(path);
        if (!text) continue;
        ++sum.texts;
        sum.words += count_words(*text, counts);
    }
    sum.different = static_cast<std::int64_t>(counts.size());
    for (const auto& [word, n] : counts) sum.top.push_back({word, n});
    const auto shown = std::min(sum.top.size(), static_cast<std::size_t>(top_words));
    std::partial_sort(
        sum.top.begin(), sum.top.begin() + static_cast<std::ptrdiff_t>(shown), sum.top.end(),
        [](const auto& a, const auto& b) { return a.count != b.count ? a.count > b.count : a.text < b.text; });
    sum.top.resize(shown);
    return sum;
}

void print(const store::totals& t) {
    std::printf("\n%lld words in %lld texts, %lld different ones; the most frequent:\n\n",
                static_cast<long long>(t.words), static_cast<long long>(t.texts), static_cast<long long>(t.different));
    for (const auto& w : t.top) std::printf("%12lld  %s\n", static_cast<long long>(w.count), w.text.c_str());
    std::printf("\n");
}

void check_totals(const store::totals& found, const scan& what, const signals& signal) {
    const auto start = display::clock::now();
    const bool same = found == count_directly(what, signal);
    const std::chrono::duration<double> took = display::clock::now() - start;
    if (!same) throw user_error{"counting without a queue gives other numbers"};
    std::printf("counting without a queue gives the same, in %.1f s\n", took.count());
}

int run(const settings& s) {
    const signals signal;
    const char* conninfo = std::getenv("PGQ_DSN");
    database db{conninfo == nullptr ? "" : conninfo, random_schema()};
    job_queue jobs = open_queue(db.conninfo(), db.schema());
    const own_tables tables{db, jobs};

    processes workers{signal, db.schema()};
    for (std::size_t i = 0; i < s.workers; ++i) workers.start();
    display out;
    for (const auto& d : s.what.directories) out.print("counting the words of " + d);
    const auto start = display::clock::now();
    jobs.enqueue(s.what).value();
    const bool finished = watch(db, jobs, workers, signal, out);
    const std::chrono::duration<double> took = display::clock::now() - start;
    if (!workers.stop()) throw user_error{"a worker failed while it stopped"};

    if (finished) {
        const auto totals = store::get_totals(db);
        print(totals);
        check_totals(totals, s.what, signal);
    }
    const auto balance = store::get_balance(db);
    const auto lost = balance.enqueued - balance.done;
    std::printf("quickstart: %lld jobs done, %lld lost, %.0f jobs/s\n", static_cast<long long>(balance.done),
                static_cast<long long>(lost), static_cast<double>(balance.done) / took.count());
    return finished && lost == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
    std::setlocale(LC_CTYPE, "C.UTF-8");
    const bool is_worker = argc == 3 && std::string_view{argv[1]} == "worker";
    try {
        return is_worker ? work(argv[2]) : run(parse(argc, argv));
    } catch (const interrupted&) {
        std::fputs("\nquickstart: interrupted\n", stderr);
        return 130;
    } catch (const pgq::failure& e) {
        std::fprintf(stderr, "quickstart: %s\n", e.info().text().c_str());
    } catch (const std::exception& e) { std::fprintf(stderr, "quickstart: %s\n", e.what()); }
    return EXIT_FAILURE;
}
