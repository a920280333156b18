// expect: pgq: <pgq/client\.hpp> only enqueues and looks after jobs\. Include <pgq/pgq\.hpp>
// precompiled: nothing

#include <pgq/client.hpp>
#include <pgq/driver/memory.hpp>

#include "client_fakes.hpp"

void used(client_fakes::mail_client& jobs) {
    (void)jobs.transaction([](auto& tx) { (void)tx.exec("SELECT 1"); });
}
