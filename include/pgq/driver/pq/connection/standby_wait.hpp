#pragma once

#include <pgq/error/errc.hpp>
#include <pgq/error/error_info.hpp>

#include <libpq-fe.h>

#include <memory>
#include <string_view>
#include <utility>

namespace pgq::driver::pq {

/// Notices when a commit stops waiting for a synchronous standby, because the statement was cancelled: by the library,
/// by statement_timeout or by an administrator. The server then reports success and a warning, but a failover would
/// lose the transaction.
class standby_wait {
public:
    /// The connection calls this object for as long as it lives.
    void observe(PGconn* c) {
        given_up_ = std::make_unique<bool>(false);
        PQsetNoticeReceiver(c, &receive, given_up_.get());
    }
    /// Whether a commit has stopped waiting since the last call.
    bool take_given_up() noexcept { return given_up_ && std::exchange(*given_up_, false); }

    static error_info error(const char* statement) {
        error_info e{errc::connection_lost,
                     "the transaction is committed, but the synchronous standby did not confirm it in time",
                     "is the standby away? What was written is there, and a failover may lose it"};
        e.statement = statement;
        return e;
    }

private:
    // The text of the warning is translated; the name of the server's function is not.
    static void receive(void* given_up, const PGresult* notice) {
        const char* function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
        if (function != nullptr && std::string_view{function} == "SyncRepWaitForLSN")
            *static_cast<bool*>(given_up) = true;
    }

    std::unique_ptr<bool> given_up_{};
};

}  // namespace pgq::driver::pq
