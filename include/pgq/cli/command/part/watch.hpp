#pragma once

#include <pgq/cli/output/terminal.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/driver/pq/session/socket_wait.hpp>
#include <pgq/time/clock.hpp>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include <chrono>
#include <optional>

namespace pgq::cli::command {

/// The option --watch of a listing.
class watch {
public:
    void declare(CLI::App& a) {
        a.add_option("--watch", seconds_, "Show it again every so many seconds")
            ->type_name("SECONDS")
            ->check(seconds_of_a_pause());
    }
    /// Shows what `make` returns: once, or until somebody ends the process. On a terminal it takes the place of the
    /// former.
    template <class Make>
    exit_code show(program& p, Make make) const {
        for (;;) {
            const auto made = make();
            if (seconds_ > 0 && out_is_terminal()) write_out("\x1b[H\x1b[2J");
            p.show(made);
            if (seconds_ <= 0) return exit_code::done;
            driver::pq::pause_for(std::chrono::duration_cast<duration>(std::chrono::duration<double>{seconds_}));
        }
    }

private:
    double seconds_ = 0;
};

}  // namespace pgq::cli::command
