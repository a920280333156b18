#pragma once

#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/statement/problems.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace pgq::driver::pq::command::admin {

/// A row of `statement::find_problems` in words.
inline database_problem problem_in_words(char kind, std::string_view tables, bool prevents_work,
                                         std::string_view role) {
    const std::string of{tables}, who{role};
    const std::string let_in = "ALTER TABLE ... DISABLE ROW LEVEL SECURITY, or ALTER ROLE \"" + who + "\" BYPASSRLS";
    switch (kind) {
    case 'h':
        return {"row_security",
                "row level security hides the rows of " + of + " from the role \"" + who + "\": its jobs never run",
                let_in, prevents_work};
    case 'f':
        return {"row_security_policies",
                "row level security with policies applies to " + of + " and the role \"" + who +
                    "\": jobs that the policies hide never run",
                let_in + "; or nothing, if the policies show all rows", prevents_work};
    case 'i':
        return {"replica_identity", "a publication has " + of + ", without a replica identity: their changes fail",
                "ALTER TABLE ... REPLICA IDENTITY FULL, or leave the schema out of the publication", prevents_work};
    case 'v':
        return {"autovacuum", "autovacuum is off for " + of + ": dead rows stay, and each claim becomes slower",
                "ALTER TABLE ... RESET (autovacuum_enabled), and autovacuum = on and track_counts = on of the server",
                prevents_work};
    default: return {"unknown", "a problem that this version does not know, with " + of, "update this program"};
    }
}

/// What of the database makes jobs fail or wait without a message.
class problems {
public:
    static void compose(batch& out, const session_info&) {
        out.add(statement::find_problems);
        out.end_transaction();
    }
    static result<std::vector<database_problem>> read(const answers& in) {
        return rows_of<database_problem>(in, in[0], [](row_view row) {
            auto p = problem_in_words(row.letter(0, '?'), row.cell(1), row.flag(2), row.cell(3));
            for (std::string_view rest = row.cell(1); !rest.empty();) {
                const auto end = rest.find(", ");
                p.tables.emplace_back(rest.substr(0, end));
                rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 2);
            }
            return p;
        });
    }
};

}  // namespace pgq::driver::pq::command::admin
