// Prints sql/0009_stored_statements.sql.

#include "stored_statements.hpp"

#include <cstdio>

int main() { return std::fputs(pgq::tools::stored_statements_sql().c_str(), stdout) < 0 ? 1 : 0; }
