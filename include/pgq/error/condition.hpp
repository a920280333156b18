#pragma once

#include <pgq/error/errc.hpp>
#include <pgq/error/sqlstate.hpp>

#include <system_error>

namespace pgq {

/// What the caller can do about an error: `if (ec == condition::transient) try_again();`
///
/// Each `errc` and each SQLSTATE has exactly one condition. Error codes of other libraries have none.
enum class condition {
    transient = 1,  ///< the connection or the server failed, or a resource ran out: reconnect and retry
    contention,     ///< a conflict with another session (deadlock, serialization, lock timeout): retry at once
    permanent,      ///< this statement or value always fails: do not retry
    configuration,  ///< a person must correct the setup: credentials, schema, version, option
};

namespace detail {

inline bool is_contention(int state) noexcept {
    return state == sqlstate("40001") || state == sqlstate("40P01") || state == sqlstate("55P03");
}

inline bool is_transient(int state) noexcept {
    const int cls = sqlstate_class(state);
    // 08: connection errors. 53: out of disk, memory or connections. 57P0x: shutdown, crash, cannot connect now.
    // 57014: a cancel or a statement timeout. 25P03: idle timeout. 25006: read-only after a failover. 58: system error.
    return cls == sqlstate_class("08") || cls == sqlstate_class("53") || state == sqlstate("57P01") ||
           state == sqlstate("57P02") || state == sqlstate("57P03") || state == sqlstate("57P05") ||
           state == sqlstate("57014") || state == sqlstate("25P03") || state == sqlstate("25006") ||
           cls == sqlstate_class("58");
}

inline bool is_configuration(int state) noexcept {
    const int cls = sqlstate_class(state);
    return cls == sqlstate_class("28") || cls == sqlstate_class("3D") || cls == sqlstate_class("3F") ||
           state == sqlstate("42501") || state == sqlstate("42P01");
}

inline condition condition_of_sqlstate(int state) noexcept {
    if (is_contention(state)) return condition::contention;
    if (is_transient(state)) return condition::transient;
    if (is_configuration(state)) return condition::configuration;
    return condition::permanent;
}

inline condition condition_of_errc(errc e) noexcept {
    switch (e) {
    case errc::connection_lost:
    case errc::timeout:
    case errc::worker_lost: return condition::transient;
    case errc::bad_conninfo:
    case errc::schema_missing:
    case errc::schema_newer:
    case errc::schema_older:
    case errc::schema_changed:
    case errc::invalid_name:
    case errc::invalid_option:
    case errc::invalid_cron:
    case errc::unfit_database: return condition::configuration;
    default: return condition::permanent;
    }
}

class condition_category_type final : public std::error_category {
public:
    const char* name() const noexcept override { return "pgq.condition"; }
    std::string message(int value) const override {
        switch (static_cast<condition>(value)) {
        case condition::transient: return "transient: reconnect and retry";
        case condition::contention: return "contention: retry at once";
        case condition::permanent: return "permanent: do not retry";
        case condition::configuration: return "configuration: correct the setup";
        }
        return "unknown condition";
    }
    bool equivalent(const std::error_code& code, int value) const noexcept override {
        const auto wanted = static_cast<condition>(value);
        if (code.category() == category()) return condition_of_errc(static_cast<errc>(code.value())) == wanted;
        if (code.category() == sqlstate_category()) return condition_of_sqlstate(code.value()) == wanted;
        return false;
    }
};

}  // namespace detail

/// The category of `condition`.
inline const std::error_category& condition_category() noexcept {
    static const detail::condition_category_type instance;
    return instance;
}

inline std::error_condition make_error_condition(condition c) noexcept {
    return {static_cast<int>(c), condition_category()};
}

}  // namespace pgq

template <>
struct std::is_error_condition_enum<pgq::condition> : std::true_type {};
