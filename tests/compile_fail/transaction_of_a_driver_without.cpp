// expect: pgq: this driver has no transactions\. Give its session

#include "fakes.hpp"

void used(fakes::mail_queue& jobs) {
    jobs.transaction([](auto& tx) { (void)tx.template take<fakes::mail>(); }).value();
}
