#pragma once

#include <pgq/compose/execution_plan.hpp>
#include <pgq/compose/read_job.hpp>
#include <pgq/concept/decorator.hpp>
#include <pgq/context/context.hpp>
#include <pgq/context/resources.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/handler/child_protocol.hpp>
#include <pgq/handler/exception_text.hpp>
#include <pgq/job/outcome.hpp>

#include <array>
#include <exception>
#include <stop_token>
#include <string>
#include <string_view>

namespace pgq::detail {

/// What a child process does: it reads the payload of its job, calls the handler, and answers with the result.
template <class Composition, class Handlers>
class child_runner {
public:
    child_runner(Handlers& handlers, const resources* shared) noexcept : handlers_{&handlers}, shared_{shared} {}

    /// `self` is a child_runner. A request that cannot be read, or of a job type that runs in no process, is a job to
    /// be held.
    static std::string answer(void* self, std::string_view request) noexcept {
        const child_job job{request};
        const auto run = job.is_whole && job.type < functions.size() ? functions[job.type] : nullptr;
        if (run == nullptr) return encode_result({.what = hold{"the request to the handler's process cannot be read"}});
        return encode_result(run(*static_cast<child_runner*>(self), job));
    }

private:
    using function = try_result (*)(child_runner&, const child_job&) noexcept;

    template <class Job>
    static try_result run(child_runner& self, const child_job& request) noexcept {
        try {
            Job job{};
            if (auto read = read_job<Composition>(request.record.body, request.version, job); !read)
                return {.what = cannot_be_read(read.error())};
            static const resources none;
            context ctx{request.record,
                        std::stop_token{},
                        self.shared_ ? *self.shared_ : none,
                        request.try_number,
                        request.must_end_by,
                        {.queue = request.queue, .span = request.span ? &*request.span : nullptr}};
            return {.what = self.handlers_->template invoke<Job>(job, ctx)};
        } catch (...) { return failed_with(std::current_exception()); }
    }
    template <class Job>
    static constexpr function function_for() noexcept {
        if constexpr (!contains_v<Job, typename Handlers::jobs>) return nullptr;
        else if constexpr (execution_plan<Composition, Job>::in_process) return &run<Job>;
        else return nullptr;
    }
    template <class... Jobs>
    static constexpr std::array<function, sizeof...(Jobs)> functions_for(type_list<Jobs...>) noexcept {
        return {function_for<Jobs>()...};
    }

    Handlers* handlers_;
    const resources* shared_;

    static constexpr auto functions = functions_for(typename Composition::jobs{});
};

}  // namespace pgq::detail
