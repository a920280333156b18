#pragma once

#include <pgq/cli/app/job_options.hpp>
#include <pgq/cli/app/parts.hpp>
#include <pgq/cli/payload/standard_input.hpp>
#include <pgq/cli/payload/typed_payloads.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>

#include <CLI/App.hpp>

#include <string>

namespace pgq::cli::command {

/// Ends with 1 if the program has no such entrypoint, and with 2 if the JSON is not one of its jobs.
template <class Queue, class... Handlers>
class enqueue_job {
    using parts = app_parts<Queue, Handlers...>;
    using payloads = typed_payloads<Queue>;

public:
    static constexpr const char* name = "enqueue";
    static constexpr const char* what = "Enqueue one job, and print its id";

    explicit enqueue_job(parts& p) : parts_{&p} {}

    void declare(CLI::App& a) {
        a.add_option("ENTRYPOINT", entrypoint_, "One of " + entrypoints())->required()->type_name("NAME");
        a.add_option("JSON", json_, "The job as an object of its members; - reads it from standard input")->required();
        a.add_option("--queue", queue_, "Into this queue (" + parts_->about.queue.name + ")")->type_name("NAME");
        a.add_flag("--defaults", defaults_, "A member that is missing has its default");
        options_.declare(a);
    }

    exit_code run(program& p) {
        exit_code code = exit_code::done;
        const bool found = payloads::with_job_of(entrypoint_, [&]<class Job>() { code = enqueue<Job>(p); });
        if (found) return code;
        return p.fail(exit_code::not_met, "this program has no entrypoint \"" + entrypoint_ + '"',
                      "it has " + entrypoints());
    }

private:
    static std::string entrypoints() {
        std::string all;
        for (const auto e : Queue::composition_type::entrypoints)
            all += (all.empty() ? "\"" : ", \"") + std::string{e} + '"';
        return all;
    }

    template <class Job>
    exit_code enqueue(program& p) {
        if constexpr (!payloads::template has_text<Job>)
            return p.fail(exit_code::wrong_use, "jobs of \"" + entrypoint_ + "\" cannot be written as JSON",
                          "enqueue them by the program's own code");
        else {
            if (json_ == "-") json_ = read_standard_input().value();
            Job job{};
            if (const auto got = payloads::read(json_, defaults_, job); !got)
                return p.fail(exit_code::wrong_use, "this is no job of \"" + entrypoint_ + "\": " + got.error().message,
                              got.error().hint);
            const auto options = options_.read().value();
            Queue jobs = parts_->take_queue(p.driver().options(), queue_);
            const auto put = jobs.enqueue(job, options).value();
            show(p, put.id(), put.is_new());
            return exit_code::done;
        }
    }
    static void show(const program& p, job_id id, bool is_new) {
        if (p.options().format() == format::table) {
            if (!is_new) complain("nothing was enqueued: a job has this key, and its id follows");
            return write_out(std::to_string(id.value) + '\n');
        }
        table t{{{"id", kind::number}, {"is_new", kind::truth}}};
        t.add({id.value, is_new});
        p.show(t);
    }

    parts* parts_;
    std::string entrypoint_{};
    std::string json_{};
    std::string queue_{};
    bool defaults_ = false;
    job_options options_{};
};

}  // namespace pgq::cli::command
