#pragma once

#include <pgq/concept/serializer.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/sensitive.hpp>
#include <pgq/serializer/decorator.hpp>
#include <pgq/serializer/json/options.hpp>
#include <pgq/serializer/nlohmann/builder.hpp>
#include <pgq/serializer/nlohmann/codec.hpp>
#include <pgq/serializer/nlohmann/compound.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace pgq::serializer {

/// Writes payloads through `nlohmann::json`, as text or as MessagePack. For programs whose types already have `to_json`
/// and `from_json` (NLOHMANN_DEFINE_TYPE...). A job type or a member that has these functions is written by them. Any
/// other is written by its adapted members, as `json` does and with the same settings.
///
/// Errors name the place among the adapted members but never the value. The text of an exception of `from_json` is
/// dropped. If memory runs out, it throws std::bad_alloc. After a failed read, some members of the job have new values
/// and others do not.
template <json_options Options = json_options{}, detail::dom_form Form = detail::dom_form::text,
          class Secrets = detail::conceals>
class basic_nlohmann {
    static constexpr secret_values secrets = detail::secret_values_of<Secrets>;
    template <class T>
    static constexpr bool writes = can_be_dom<T> && (secrets != secret_values::conceal || !holds_sensitive<T>);

public:
    using policy_category = serializer_tag;
    using revealing = basic_nlohmann<Options, Form, detail::reveals>;
    /// What people write and read in place of the payload.
    template <json_options Other, class OtherSecrets>
    using as_text = basic_nlohmann<Other, detail::dom_form::text, OtherSecrets>;

    static constexpr json_options options = Options;
    static constexpr bool by_members = true;
    /// Whether the type's own `to_json` and `from_json` write and read it, not its members.
    template <class Job>
    static constexpr bool writes_whole = detail::has_own_dom_code<Job>;
    template <class T>
    static constexpr bool supports_member = writes<T>;
    template <class Job>
    static constexpr bool supports_job = writes<Job>;

    template <class Job>
        requires writes<Job> result<void> write(const Job& job, std::string& out)
    const {
        return guarded("to_json", [&](detail::dom_pass& pass) {
            detail::dom document;
            if (!detail::to_dom(job, document, pass)) return false;
            const std::size_t before = out.size();
            if constexpr (Form == detail::dom_form::text) out += document.dump();
            else detail::dom::to_msgpack(document, out);
            return out.size() - before <= Options.max_bytes ||
                   pass.fail("the payload is larger than max_bytes", errc::payload_too_large);
        });
    }

    template <class Job>
        requires writes<Job> result<void> read(std::string_view body, Job& job)
    const {
        return guarded("from_json", [&](detail::dom_pass& pass) {
            detail::dom document;
            if (!detail::parse_dom(body, document, pass)) return false;
            job = Job{};
            return detail::from_dom(std::as_const(document), job, pass);
        });
    }

private:
    class secrets_of_thread {
    public:
        secrets_of_thread() noexcept : before_{std::exchange(detail::thread_secrets(), secrets)} {}
        ~secrets_of_thread() { detail::thread_secrets() = before_; }
        secrets_of_thread(const secrets_of_thread&) = delete;
        secrets_of_thread& operator=(const secrets_of_thread&) = delete;

    private:
        secret_values before_;
    };

    template <class Function>
    static result<void> guarded(const char* name, Function&& function) {
        detail::dom_pass pass{.options = Options, .form = Form, .secrets = secrets};
        const secrets_of_thread scope;
        try {
            if (function(pass)) return {};
        } catch (const std::bad_alloc&) { throw; } catch (const detail::concealed& e) {
            pass.problem.fail(e.what(), errc::invalid_payload);
        } catch (const std::exception&) {
            pass.problem.fail(std::string{name} + " of the program or of the library threw", errc::invalid_payload);
        }
        return pass.problem.error();
    }
};

/// JSON text with the default settings.
using nlohmann = basic_nlohmann<>;

static_assert(serializer_policy<nlohmann>);

}  // namespace pgq::serializer
