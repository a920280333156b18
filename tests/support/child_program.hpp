#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace test {

/// The beginning of a program that a test starts: it ends if the test crashes, and leaves no core file. SIGTERM is
/// blocked in all of its threads; a thread waits for it with sigwait(). Returns the set of that signal.
inline sigset_t begin_child_program() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const rlimit no_cores{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_cores);
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    return ends;
}

}  // namespace test
