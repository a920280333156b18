#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace test {

/// This program ends if the test that started it crashes, and leaves no core file.
inline void end_with_test() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const rlimit no_cores{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_cores);
}

/// The beginning of a program that a test starts: end_with_test(), and SIGTERM is blocked in all of its threads; a
/// thread waits for it with sigwait(). Returns the set of that signal.
inline sigset_t begin_child_program() {
    end_with_test();
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    return ends;
}

}  // namespace test
