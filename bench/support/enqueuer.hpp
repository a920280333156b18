#pragma once

#include <support/bench.hpp>
#include <support/mail.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// A trial that enqueues n mails, `batch` with each call, into an empty lane. The queue has connected and prepared
/// before.
class enqueuer {
public:
    enqueuer(std::string dsn, std::int64_t n, std::int64_t batch, const pgq::enqueue_options& how = {})
        : dsn_{std::move(dsn)}, n_{n}, how_{how}, some_{mails(0, batch)} {}

    void prepare() {
        clear(dsn_);
        jobs_ = std::make_unique<mail_queue<>>(pgq::driver::libpq{dsn_});
        jobs_->enqueue(mail{}).value();  // connects and prepares
    }
    std::int64_t run() {
        const auto batch = static_cast<std::int64_t>(some_.size());
        if (batch == 1)
            for (std::int64_t i = 0; i < n_; ++i) jobs_->enqueue(some_[0], how_).value();
        else
            for (std::int64_t i = 0; i < n_; i += batch) jobs_->enqueue(some_, how_).value();
        jobs_.reset();
        return n_;
    }

private:
    std::string dsn_;
    std::int64_t n_;
    pgq::enqueue_options how_;
    std::vector<mail> some_;
    std::unique_ptr<mail_queue<>> jobs_{};
};

}  // namespace bench
