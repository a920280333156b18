// expect: pgq: app got a type that is not a queue\. Name yours
// precompiled: nothing

#include <pgq/cli.hpp>

int main(int argc, char** argv) { return pgq::main(argc, argv, pgq::app<int>{.name = "mailer"}); }
