#pragma once

#include "actions.hpp"
#include "operation.hpp"
#include "order.hpp"
#include "reads.hpp"
#include "request.hpp"
#include "task_thread.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::web {

using shared_response = std::shared_ptr<const response>;
using reply = std::function<void(shared_response)>;

/// Answers requests from the database: three threads with a session each, for reads, for actions and for actions on
/// all that match. Readers who ask the same at about the same time share one answer.
///
/// Its members are called by one thread, to which `post` hands the answers.
class backend {
public:
    using clock = std::chrono::steady_clock;

    struct settings {
        bool read_only = false;
        std::function<void(std::function<void()>)> post{};
        std::function<void(std::string_view)> audit{};
        std::function<void()> changed{};  ///< called after an action
    };

    backend(const driver::libpq& for_reads, const driver::libpq& for_actions, payload_view decode, settings s);
    ~backend();
    backend(const backend&) = delete;
    backend& operator=(const backend&) = delete;

    /// Throws `failure` if the database cannot be reached, or has another schema. To be called first.
    void check() { reads_.check(); }

    /// False if there is no such path.
    bool get(const request_target& t, const std::string& target, reply done);
    bool post(const request_target& t, const request& r, const std::string& user, reply done);

private:
    struct shared_answer {
        clock::time_point until{};
        shared_response answer{};
        std::vector<reply> waiting{};
    };

    void start(const std::string& key, const request_target& t);
    void finish(const std::string& key, int seconds, const shared_response& answer);
    void perform(const order& o, const std::string& who, reply done);
    void perform_on_all(const act_order& o, const std::string& who, const reply& done);
    void forget_answers();
    response report_of(std::string_view id) const;

    settings settings_;
    reads reads_;
    actions few_;
    actions many_;
    std::map<std::string, shared_answer> answers_{};
    std::int64_t generation_ = 0;  // of the answers: an action makes them old
    std::int64_t last_operation_ = 0;
    std::map<std::int64_t, std::shared_ptr<operation>> operations_{};
    // The threads end before what they use.
    task_thread reading_{256};
    task_thread acting_{64};
    task_thread acting_on_all_{8};
};

}  // namespace pgq::web
