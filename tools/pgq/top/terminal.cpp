#include "terminal.hpp"

#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <langinfo.h>
#include <poll.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <string_view>

namespace pgq_top {

using pgq::cli::top::key;
using pgq::cli::top::look;

namespace keys = pgq::cli::top::keys;

namespace {

enum pair : short { notice_pair = 1, warning_pair, alarm_pair };

key key_of(wint_t code) noexcept {
    switch (code) {
    case KEY_UP: return keys::up;
    case KEY_DOWN: return keys::down;
    case KEY_LEFT: return keys::left;
    case KEY_RIGHT: return keys::right;
    case KEY_PPAGE: return keys::page_up;
    case KEY_NPAGE: return keys::page_down;
    case KEY_HOME: return keys::home;
    case KEY_END: return keys::end;
    case KEY_BTAB: return keys::back_tab;
    case KEY_ENTER: return keys::enter;
    case KEY_BACKSPACE: return keys::backspace;
    default: return 0;
    }
}

}  // namespace

bool use_locale() {
    std::setlocale(LC_CTYPE, "");
    return std::string_view{nl_langinfo(CODESET)} == "UTF-8";
}

terminal::terminal(bool colours) {
    screen_ = newterm(nullptr, stdout, stdin);
    if (screen_ == nullptr) return;
    cbreak();
    noecho();
    set_escdelay(25);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    curs_set(0);
    colours_ = colours && has_colors();
    if (!colours_) return;
    start_color();
    use_default_colors();
    // Cyan, yellow and magenta differ for people who confuse red and green.
    init_pair(notice_pair, COLOR_CYAN, -1);
    init_pair(warning_pair, COLOR_YELLOW, -1);
    init_pair(alarm_pair, COLOR_MAGENTA, -1);
}

terminal::~terminal() {
    if (screen_ == nullptr) return;
    endwin();
    delscreen(static_cast<SCREEN*>(screen_));
}

pgq::cli::top::screen_size terminal::size() const {
    const int rows = getmaxy(stdscr), columns = getmaxx(stdscr);
    return {.rows = rows > 0 ? static_cast<std::size_t>(rows) : 1,
            .columns = columns > 0 ? static_cast<std::size_t>(columns) : 1};
}

bool terminal::wait(int other, int milliseconds) const {
    pollfd on[2] = {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                    {.fd = other, .events = POLLIN, .revents = 0}};
    if (::poll(on, 2, milliseconds) <= 0) return true;
    return (on[0].revents & (POLLHUP | POLLERR | POLLNVAL)) == 0;
}

std::vector<key> terminal::keys() const {
    std::vector<key> all;
    wint_t code = 0;
    for (int is = get_wch(&code); is != ERR; is = get_wch(&code)) {
        const key k = is == KEY_CODE_YES ? key_of(code)
                      : code == '\r'     ? keys::enter
                      : code == '\b'     ? keys::backspace
                                         : code;
        if (k != 0) all.push_back(k);
    }
    return all;
}

unsigned terminal::attributes(look how) const noexcept {
    const auto colour = [&](short pair, unsigned otherwise) {
        return colours_ ? static_cast<unsigned>(COLOR_PAIR(pair)) | A_BOLD : otherwise;
    };
    switch (how) {
    case look::plain: return A_NORMAL;
    case look::faint: return A_DIM;
    case look::heading: return A_BOLD;
    case look::chosen: return A_REVERSE;
    case look::notice: return colour(notice_pair, A_UNDERLINE);
    case look::warning: return colour(warning_pair, A_BOLD);
    case look::alarm: return colour(alarm_pair, A_BOLD | A_UNDERLINE);
    }
    return A_NORMAL;
}

void terminal::show(const pgq::cli::top::frame& f) const {
    werase(stdscr);
    for (std::size_t y = 0; y < f.lines.size(); ++y) {
        wmove(stdscr, static_cast<int>(y), 0);
        for (const auto& s : f.lines[y]) {
            wattrset(stdscr, static_cast<int>(attributes(s.look)));
            waddstr(stdscr, s.text.c_str());
        }
    }
    curs_set(f.has_cursor ? 1 : 0);
    wrefresh(stdscr);
}

}  // namespace pgq_top
