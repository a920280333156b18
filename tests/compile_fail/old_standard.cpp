// expect: pgq: this library needs C\+\+20\. Compile with -std=c\+\+20
// within: 10 lines
// flags: -std=c++17

#include <pgq/pgq.hpp>
