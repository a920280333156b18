#pragma once

#include <pgq/cli/top/canvas.hpp>
#include <pgq/cli/top/key.hpp>
#include <pgq/cli/top/model.hpp>

#include <vector>

namespace pgq_top {

/// The terminal of this process, by ncurses. Its end restores the terminal.
class terminal {
public:
    /// `colours`: it may use colours. Without them a look is bold, underlined or reversed.
    explicit terminal(bool colours);
    ~terminal();
    terminal(const terminal&) = delete;
    terminal& operator=(const terminal&) = delete;

    /// False: the terminal cannot be used so, or its type is unknown.
    bool is_open() const noexcept { return screen_ != nullptr; }
    pgq::cli::top::screen_size size() const;
    /// Waits until a key is pressed, `other` can be read, or the time is over. False: the terminal has gone.
    bool wait(int other, int milliseconds) const;
    /// The keys pressed since the last call.
    std::vector<pgq::cli::top::key> keys() const;
    void show(const pgq::cli::top::frame& f) const;

private:
    unsigned attributes(pgq::cli::top::look how) const noexcept;

    void* screen_ = nullptr;
    bool colours_ = false;
};

/// Chooses the locale of the environment for characters. True: it is UTF-8.
bool use_locale();

}  // namespace pgq_top
