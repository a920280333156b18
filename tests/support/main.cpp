// Compiled once for all test programs: this is where version 2 of Catch2 spends its time.
#define CATCH_CONFIG_RUNNER
#include "support/catch.hpp"

int main(int argc, char** argv) { return Catch::Session().run(argc, argv); }
