// expect: pgq: main cannot connect the driver of this queue, because connection_options do not make one\. Use
// precompiled: nothing

#include <pgq/cli.hpp>
#include <pgq/driver/memory.hpp>

#include "fakes.hpp"

using in_memory = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;

int main(int argc, char** argv) {
    return pgq::main(argc, argv, pgq::app<in_memory>{.name = "mailer"}, [](const fakes::mail&) {});
}
