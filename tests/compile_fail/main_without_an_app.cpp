// expect: pgq: the third argument of main is not an app\. Write main\(argc, argv, pgq::app
// precompiled: nothing

#include <pgq/cli.hpp>

int main(int argc, char** argv) {
    return pgq::main(argc, argv, [](int) {});
}
