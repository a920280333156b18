// A long job reports its progress, and continues where the last attempt stopped.

#include <pgq/backoff/none.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace app {
struct scan_book {
    static constexpr std::string_view entrypoint = "scan_book";
    std::string title{};
    int pages = 0;
    int next = 1;
};

class scanner {
public:
    void scan(int page) {
        if (page == 3 && std::exchange(jams_, false)) throw std::runtime_error{"paper jam"};
        std::printf("page %d\n", page);
    }

private:
    bool jams_ = true;
};
}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::scan_book, title, pages, next);

using scans = pgq::queue<app::scan_book, pgq::driver::libpq, pgq::serializer::json, pgq::backoff::none>;

namespace {

void scan(const app::scan_book& job, pgq::context& c) {
    for (auto book = job; book.next <= book.pages;) {
        c.resource<app::scanner>().scan(book.next);
        c.progress(1.0 * book.next / book.pages, "page " + std::to_string(book.next)).value();
        ++book.next;
        c.update(book).value();  // the next attempt starts here
    }
}

void work(scans& queue, pgq::job_id book) {
    app::scanner machine;
    pgq::resources shared;
    shared.add(machine);

    const auto handler = [&](const app::scan_book& b, pgq::context& c) {
        std::printf("attempt %d\n", c.attempt());
        scan(b, c);
        const auto seen = queue.progress(book).value();  // any program can read it
        if (seen) std::printf("%.0f %%, %s\n", 100 * seen->fraction, seen->text.c_str());
    };
    pgq::worker worker{queue, {.until = pgq::run_until::empty, .shared = &shared}, handler};
    worker.run().value();
}

}  // namespace

// checkpoint [CONNECTION-STRING]
int main(int argc, char** argv) try {
    scans queue{pgq::driver::libpq{argc > 1 ? argv[1] : ""}};
    queue.install().value();
    const auto book = queue.enqueue(app::scan_book{.title = "Moby Dick", .pages = 4}).value();
    work(queue, book);
    std::puts(book.progress().value() ? "not done" : "done");
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "checkpoint: %s\n", e.info().text().c_str());
    return 1;
}
