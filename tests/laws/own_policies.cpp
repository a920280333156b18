#include <pgq/testing/laws/backoff.hpp>
#include <pgq/testing/laws/observer.hpp>

#include <atomic>
#include <chrono>
#include <memory>

namespace app {

/// Waits five minutes, and one hour from the fifth attempt on.
struct patient {
    using policy_category = pgq::backoff_tag;

    pgq::duration delay(int attempt) const noexcept {
        using namespace std::chrono_literals;
        return attempt < 5 ? 5min : 60min;
    }
};

/// Counts the jobs that took longer than one second. Copies share the count, so that the program can keep a copy and
/// read it.
class slow_jobs {
public:
    using policy_category = pgq::observer_tag;

    void on(const pgq::event::job_finished& e) noexcept {
        if (e.run_time > std::chrono::seconds{1}) count_->fetch_add(1, std::memory_order_relaxed);
    }
    int count() const noexcept { return *count_; }

private:
    std::shared_ptr<std::atomic<int>> count_ = std::make_shared<std::atomic<int>>(0);
};

}  // namespace app

TEST_CASE("the application's back-off keeps the back-off laws", "[testing]") {
    pgq::laws::check_backoff<app::patient>([] { return app::patient{}; });
}

TEST_CASE("the application's observer keeps the observer laws", "[testing]") {
    pgq::laws::check_observer<app::slow_jobs>([] { return app::slow_jobs{}; });
}
