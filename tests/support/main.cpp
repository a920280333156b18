// Compiled once for all test programs, because this file takes most of the compile time of Catch2 version 2.
#define CATCH_CONFIG_RUNNER
#include "support/catch.hpp"

int main(int argc, char** argv) { return Catch::Session().run(argc, argv); }
