// The compiler includes this before each file of the mutation build; see mutate.sh. It is no header of the library.
#pragma once

#if __cplusplus >= 202002L  // not in CMake's own checks of the compiler

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>

#include <libpq-fe.h>

namespace pgq_mutations {

/// The number of the mutation that is switched on; 0: none.
inline int chosen() noexcept {
    static const int n = std::getenv("PGQ_MUTATION") != nullptr ? std::atoi(std::getenv("PGQ_MUTATION")) : 0;
    return n;
}

/// Tells the script that the mutated place was reached: a mutation that no test reaches proves nothing.
inline void reached() noexcept {
    static const bool once = [] {
        if (const char* file = std::getenv("PGQ_MUTATION_REACHED"))
            if (std::FILE* f = std::fopen(file, "w")) std::fclose(f);
        return true;
    }();
    (void)once;
}

constexpr bool on(int n) noexcept {
    if (std::is_constant_evaluated()) return false;
    if (n != chosen()) return false;
    reached();
    return true;
}

struct sql_mutation {
    int number;
    std::string_view from, to;
};
inline constexpr sql_mutation in_sql[] = {
#include "in_sql.inc"
    {-1, {}, {}}};

/// The text with all that the chosen mutation changes. It lives as long as the program.
inline const char* sql(const char* text) {
    for (const auto& m : in_sql) {
        if (m.number != chosen() || std::string_view{text}.find(m.from) == std::string_view::npos) continue;
        reached();
        static std::mutex mutex;
        static std::map<std::string, std::string> changed;
        const std::lock_guard lock{mutex};
        const auto [at, is_new] = changed.try_emplace(text, text);
        if (is_new)
            for (std::size_t i = 0; (i = at->second.find(m.from, i)) != std::string::npos; i += m.to.size())
                at->second.replace(i, m.from.size(), m.to);
        return at->second.c_str();
    }
    return text;
}

inline PGresult* exec(PGconn* c, const char* text) { return PQexec(c, sql(text)); }
inline int send_prepare(PGconn* c, const char* name, const char* text, int n, const Oid* types) {
    return PQsendPrepare(c, name, sql(text), n, types);
}
inline int send_query_params(PGconn* c, const char* text, int n, const Oid* types, const char* const* values,
                             const int* lengths, const int* formats, int result_format) {
    return PQsendQueryParams(c, sql(text), n, types, values, lengths, formats, result_format);
}
inline PGresult* exec_params(PGconn* c, const char* text, int n, const Oid* types, const char* const* values,
                             const int* lengths, const int* formats, int result_format) {
    return PQexecParams(c, sql(text), n, types, values, lengths, formats, result_format);
}

}  // namespace pgq_mutations

#define PQexec pgq_mutations::exec
#define PQsendPrepare pgq_mutations::send_prepare
#define PQsendQueryParams pgq_mutations::send_query_params
#define PQexecParams pgq_mutations::exec_params

#endif
